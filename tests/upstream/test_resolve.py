"""Names are asked of what the reactor has."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from twisted_envoy.interfaces.upstream import IHostResolver, ResolveFailed
from twisted_envoy.upstream.resolve import HostResolver, literalKind, nameToAsk


class LiteralTests(SynchronousTestCase):
    """Addresses are their own answer."""

    def test_kinds(self) -> None:
        """IPv4, IPv6, and what is a name."""
        self.assertIs(literalKind("127.0.0.1"), IPv4Address)
        self.assertIs(literalKind("::1"), IPv6Address)
        self.assertIsNone(literalKind("a.test"))
        self.assertIsNone(literalKind(""))

    def test_noQuestion(self) -> None:
        """Nobody is asked about an address; it has none of the other kind."""
        resolver = HostResolver(Clock())
        verifyObject(IHostResolver, resolver)
        asked = [
            self.successResultOf(resolver.resolve(name, kind))
            for name in ("10.0.0.1", "::2", "")
            for kind in (IPv4Address, IPv6Address)
        ]
        self.assertEqual(asked, [("10.0.0.1",), (), (), ("::2",), (), ()])


class NameToAskTests(SynchronousTestCase):
    """Names as Envoy's resolver reads them."""

    def test_numbers(self) -> None:
        """Four decimal numbers are an address; what inet_aton knows besides is nobody's."""
        for name, expected in (
            ("127.0.0.01", "127.0.0.1"),
            ("0177.0.0.1", "177.0.0.1"),
            ("256.0.0.1", ""),
            ("127.1", ""),
            ("0x7f.1", ""),
            ("2130706433", ""),
            (".", ""),
            ("a.test.", "a.test."),
            ("::1", "::1"),
        ):
            self.assertEqual(nameToAsk(name), expected, name)

    def test_misformatted(self) -> None:
        """Labels that are empty or too long, names that are too long."""
        resolver = HostResolver(Clock())
        for name in ("a..b", ".a", "x" * 64 + ".a", "a." * 130 + "a"):
            problem = self.failureResultOf(resolver.resolve(name, IPv4Address), ResolveFailed)
            self.assertEqual(str(problem.value), "Misformatted domain name")


class FakeInstalled:
    """An IHostnameResolver that was installed: says what it is told to say."""

    def __init__(self) -> None:
        self.receiver: Any = None
        self.cancelled = False

    def resolveHostName(self, receiver: Any, *arguments: Any) -> Any:
        self.receiver = receiver
        self.arguments = arguments
        receiver.resolutionBegan(self)
        return self

    def cancel(self) -> None:
        self.cancelled = True


class InstalledResolverTests(SynchronousTestCase):
    """A reactor whose resolver was replaced."""

    def setUp(self) -> None:
        self.reactor: Any = Clock()
        self.installed = self.reactor.nameResolver = FakeInstalled()
        self.resolver = HostResolver(self.reactor)

    def test_answer(self) -> None:
        """It is asked as Twisted asks, and its addresses are the answer."""
        asking = self.resolver.resolve("a.test", IPv4Address)
        self.assertNoResult(asking)
        self.assertEqual(self.installed.arguments, ("a.test", 0, [IPv4Address], "TCP"))
        self.installed.receiver.addressResolved(IPv4Address("TCP", "10.0.0.1", 0))
        self.installed.receiver.addressResolved(UNIXAddress(b"/x"))
        self.installed.receiver.resolutionComplete()
        self.assertEqual(self.successResultOf(asking), ["10.0.0.1"])

    def test_cancel(self) -> None:
        """The question is cancelled; an answer that comes later is not heard."""
        asking = self.resolver.resolve("a.test", IPv4Address)
        asking.cancel()
        self.assertTrue(self.installed.cancelled)
        self.failureResultOf(asking, CancelledError)
        self.installed.receiver.resolutionComplete()

    def test_cancelThatCannotBe(self) -> None:
        """A resolution that cannot be cancelled is only forgotten."""

        def cancel() -> None:
            raise NotImplementedError

        self.installed.cancel = cancel  # type: ignore[method-assign]
        asking = self.resolver.resolve("a.test", IPv4Address)
        asking.cancel()
        self.failureResultOf(asking, CancelledError)

    def test_noResolver(self) -> None:
        """A reactor that has none, such as a Clock, is a failure."""
        asking = HostResolver(Clock()).resolve("a.test", IPv4Address)
        self.failureResultOf(asking, ResolveFailed)


class SystemTests(SynchronousTestCase):
    """What getaddrinfo says."""

    def ask(self, answer: Any, kind: Any = IPv4Address) -> Any:
        """The Deferred of one question that getaddrinfo answers so."""
        self.calls: list[tuple[Any, ...]] = []

        def getaddrinfo(*arguments: Any) -> Any:
            self.calls.append(arguments)
            if isinstance(answer, Exception):
                raise answer
            return answer

        reactor: Any = MemoryReactorClock()
        pool = SamePool()
        from twisted.internet._resolver import GAIResolver

        reactor.nameResolver = GAIResolver(reactor, lambda: pool)
        reactor.callFromThread = lambda function, *args: function(*args)
        return HostResolver(reactor, getaddrinfo, pool).resolve("a.test", kind)

    def test_addresses(self) -> None:
        """Each one, in order."""
        found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (host, 0, 0, 0)) for host in "ab"]
        asking = self.ask(found, IPv6Address)
        self.assertEqual(self.successResultOf(asking), ["a", "b"])
        self.assertEqual(self.calls, [("a.test", None, socket.AF_INET6, socket.SOCK_STREAM)])

    def test_noAddress(self) -> None:
        """A name that does not exist, or has no such address, is an answer."""
        for code in (socket.EAI_NONAME, socket.EAI_NODATA):
            asking = self.ask(socket.gaierror(code, "none"))
            self.assertEqual(self.successResultOf(asking), ())

    def test_nobodyAnswers(self) -> None:
        """Every other problem is a failure, with the system's text."""
        asking = self.ask(socket.gaierror(socket.EAI_AGAIN, "try again"))
        self.assertEqual(str(self.failureResultOf(asking, ResolveFailed).value), "try again")

    def test_impossibleName(self) -> None:
        """A name that cannot be written in DNS, or a system without sockets, is one too."""
        for problem in (UnicodeError("label too long"), OSError("no")):
            self.failureResultOf(self.ask(problem), ResolveFailed)


class SamePool:
    """A thread pool without threads."""

    def callInThreadWithCallback(self, done: Any, function: Any, *args: Any, **kw: Any) -> None:
        from twisted.python.failure import Failure

        try:
            result = function(*args, **kw)
        except Exception:
            done(False, Failure())
        else:
            done(True, result)


class RealReactorTests(TestCase):
    """With the reactor as it is."""

    async def test_localhost(self) -> None:
        """The system knows this name."""
        from twisted.internet import reactor

        found = await HostResolver(reactor).resolve("localhost", IPv4Address)
        self.assertIn("127.0.0.1", found)
