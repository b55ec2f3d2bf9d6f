"""
Threads for questions to the system's resolver, which may take as long as it likes.

They are not the reactor's: that waits for its own when it stops, and a process that is told to end
shall not wait for a name server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any

from twisted_envoy.interfaces.upstream import ResolveFailed
from twisted_envoy.internal.end import failureOf

_MOST = 10


class ResolverThreads:
    """
    Runs calls in daemon threads; a thread ends when nothing waits.

    Args:
        most: threads at a time; further calls wait.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._running = 0
        self._lock = Lock()
        self._waiting: deque[tuple[Callable[..., object], Callable[[], object]]] = deque()

    def callInThreadWithCallback(
        self, onResult: Callable[..., object], function: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:
        """Call in a thread, and there onResult with (True, result) or (False, a Failure)."""
        with self._lock:
            self._waiting.append((onResult, lambda: function(*args, **kw)))
            if self._running >= self._most:
                return
            self._running += 1
        try:
            Thread(target=self._work, name="resolver", daemon=True).start()
        except RuntimeError as problem:
            self._refused(str(problem))

    def _refused(self, text: str) -> None:
        """The system has no more threads: those that there are go on, if there are any."""
        with self._lock:
            self._running -= 1
            lost = [] if self._running else list(self._waiting)
            if lost:
                self._waiting.clear()
        for onResult, _ in lost:
            onResult(False, failureOf(ResolveFailed(text)))

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                onResult, call = self._waiting.popleft()
            try:
                result = call()
            except Exception as problem:
                onResult(False, failureOf(problem))
            else:
                onResult(True, result)
