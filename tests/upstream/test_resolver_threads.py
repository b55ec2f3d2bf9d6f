"""Threads that nobody waits for."""

from __future__ import annotations

from threading import Event
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.interfaces.upstream import ResolveFailed
from twisted_envoy.upstream import resolver_threads
from twisted_envoy.upstream.resolver_threads import ResolverThreads

PATIENCE = 10.0


class ResolverThreadsTests(SynchronousTestCase):
    """Calls and what comes of them."""

    def ask(self, threads: ResolverThreads, function: Any, *args: Any) -> tuple[Event, list[Any]]:
        """Call it; an event that is set when there is a result, and the result."""
        done, said = Event(), []

        def onResult(good: bool, result: Any) -> None:
            said.append((good, result))
            done.set()

        threads.callInThreadWithCallback(onResult, function, *args)
        return done, said

    def test_results(self) -> None:
        """What it returns or raises."""
        done, said = self.ask(ResolverThreads(), int, "7")
        self.assertTrue(done.wait(PATIENCE))
        self.assertEqual(said, [(True, 7)])
        done, said = self.ask(ResolverThreads(), int, "x")
        self.assertTrue(done.wait(PATIENCE))
        self.assertFalse(said[0][0])
        self.assertIsInstance(said[0][1].value, ValueError)

    def test_most(self) -> None:
        """So many at once; the others follow when one is free."""
        threads = ResolverThreads(1)
        going, gate = Event(), Event()

        def blocked() -> None:
            going.set()
            gate.wait(PATIENCE)

        first, _ = self.ask(threads, blocked)
        self.assertTrue(going.wait(PATIENCE))
        second, said = self.ask(threads, int, "7")
        self.assertEqual(said, [])
        gate.set()
        self.assertTrue(first.wait(PATIENCE) and second.wait(PATIENCE))
        self.assertEqual(said, [(True, 7)])

    def test_noThreads(self) -> None:
        """A system that has none left is a question that failed."""

        class NoThread:
            def __init__(self, **fields: Any) -> None:
                pass

            def start(self) -> None:
                raise RuntimeError("can't start new thread")

        self.patch(resolver_threads, "Thread", NoThread)
        _, said = self.ask(ResolverThreads(), int, "7")
        self.assertFalse(said[0][0])
        self.assertIsInstance(said[0][1].value, ResolveFailed)
