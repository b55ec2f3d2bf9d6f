"""One bootstrap, running in memory on a Clock."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from twisted_envoy.access_log.manager import MemoryAccessLogManager
from twisted_envoy.interfaces.sockets import ConnectOptions, ListenOptions
from twisted_envoy.internal import InternalAddress, InternalClientEndpoint, getRegistry
from twisted_envoy.server.build import buildServer
from twisted_envoy.server.options import ServerOptions
from twisted_envoy.server.server import GRACE
from twisted_envoy.testing.names import MemoryResolver
from twisted_envoy.testing.peer import Origin, Peer
from twisted_envoy.testing.sockets import MemorySockets, parseAddress

_STEPS = 100_000


class MemoryEnvoy:
    """
    A server that was built from a bootstrap, as `twistd envoy` would, and started.

    Nothing happens by itself: `settle` lets everything happen that takes no time, `advance` lets
    time pass. The internal listeners are those of `getRegistry(clock)`, so that an endpoint string
    `internal:name` with `clock` as reactor reaches them, and the other way round.

    Args:
        bootstrap: a file's path, or its text when it has more than one line.
        options: what else the command line would say.
        random: what balancers, weights and jitter ask; None for one that always says the same.
        clock: the reactor; None for a new one.
        resolver: what clusters look names up in; None for one that knows none.
    Raises:
        ConfigError: with file, line and column.
        CannotListenError: two listeners have one address.

    Attributes:
        server: the Server.
        sockets: connects by address.
        logs: a MemoryAccessLogManager.
        resolver: the MemoryResolver; its answers may change.
    """

    def __init__(
        self,
        bootstrap: str,
        options: ServerOptions | None = None,
        random: Random | None = None,
        clock: Clock | None = None,
        resolver: MemoryResolver | None = None,
    ) -> None:
        self.clock: Any = Clock() if clock is None else clock
        options = options or ServerOptions()
        if "\n" in bootstrap:
            options = replace(options, configYAML=bootstrap, configName="<bootstrap>")
        else:
            options = replace(options, configPath=bootstrap)
        self._turn = getRegistry(self.clock).turn
        self.sockets = MemorySockets(self._turn)
        self.logs = MemoryAccessLogManager()
        self.resolver = MemoryResolver() if resolver is None else resolver
        self.server = buildServer(
            options,
            self.clock,
            self.sockets,
            self.logs,
            Random(0) if random is None else random,
            self.resolver,
        )
        self.server.startService()
        self.settle()

    # Time.

    def settle(self) -> None:
        """
        Let everything happen that takes no time.

        Raises:
            NotSettled: it never ends; the text names the busy connections.
        """
        self._turn.pump(self.clock)

    def advance(self, seconds: float) -> None:
        """
        Let time pass, from timer to timer, settling at each.

        Raises:
            NotSettled: as `settle`.
        """
        clock = self.clock
        end = clock.seconds() + seconds
        for _ in range(_STEPS):
            self.settle()
            due = [call.getTime() for call in clock.getDelayedCalls()]
            then = min([end, *due])
            if then >= end:
                clock.advance(end - clock.seconds())
                self.settle()
                return
            clock.advance(then - clock.seconds())
        raise AssertionError(f"more than {_STEPS} timers fired in {seconds} seconds")

    def stop(self) -> None:
        """Stop the server as SIGTERM would; what is open after the grace time is reset."""
        stopped = self.server.stopService()
        self.advance(GRACE + 1)
        if not stopped.called:
            raise AssertionError("the server did not stop")

    # Connections.

    def listen(self, address: str, factory: IProtocolFactory | None = None) -> Any:
        """
        Be what a cluster connects to.

        Args:
            address: `127.0.0.1:80`, `[::1]:80`, `/a/path`, `@abstract` or `envoy://name/`.
            factory: any Twisted factory; None for one that keeps its connections.
        Returns:
            The factory: an Origin when none was given.
        Raises:
            CannotListenError: somebody listens there.
        """
        chosen: Any = Origin() if factory is None else factory
        where = parseAddress(address)
        if isinstance(where, InternalAddress):
            getRegistry(self.clock).listen(where.name, chosen)
        else:
            _resultOf(self.sockets.serverEndpoint(where, ListenOptions()).listen(chosen))
        return chosen

    def silence(self, address: str) -> None:
        """Never answer connects to this address: neither made nor refused."""
        self.sockets.silence(parseAddress(address))

    def endpoint(self, where: str, source: str | None = None) -> IStreamClientEndpoint:
        """
        How a client connects to a listener.

        Args:
            where: a listener's name, or an address.
            source: the client's own address, `10.0.0.1:1234`; None for some loopback address.
        Raises:
            ValueError: neither; the text names the listeners.
        """
        address = self._addressOf(where)
        if isinstance(address, InternalAddress):
            reactor: IReactorTime = self.clock
            return InternalClientEndpoint(reactor, address.name, address.endpointID)
        options = ConnectOptions()
        if source is not None:
            given: Any = parseAddress(source)
            options = ConnectOptions((given.host, given.port))
        return self.sockets.clientEndpoint(address, options)

    def _addressOf(self, where: str) -> Any:
        listeners = self.server.listeners
        listener = listeners.get(where)
        if listener is not None:
            return listener.address
        try:
            return parseAddress(where)
        except ValueError:
            names = ", ".join(sorted(repr(one.name) for one in listeners)) or "none"
            problem = f"{where!r} is neither a listener nor an address; listeners: {names}"
            raise ValueError(problem) from None

    def connect(self, where: str, source: str | None = None) -> Peer:
        """
        Connect a client, and settle.

        Args:
            where, source: as for `endpoint`.
        Raises:
            ConnectError: nobody listens there, or an internal listener refused.
        """
        factory = Factory.forProtocol(Peer)
        factory.noisy = False
        connecting: Any = self.endpoint(where, source).connect(factory)
        self.settle()
        client: Peer = _resultOf(connecting)
        return client

    # What can be seen.

    def stat(self, name: str) -> int:
        """
        The value of a counter or gauge.

        Raises:
            KeyError: there is none of that full name; the text suggests some.
        """
        store = self.server.store
        try:
            return store.value(name)
        except KeyError:
            raise KeyError(_suggest(name, (one.name for one in store.numbers()))) from None

    def stats(self, pattern: str = "") -> dict[str, int]:
        """The counters and gauges that are not 0 and whose names have a match of the pattern."""
        found = re.compile(pattern)
        return {
            one.name: one.value
            for one in self.server.store.numbers()
            if one.value and found.search(one.name)
        }

    def lines(self, path: str) -> list[str]:
        """The lines of an access log; a stream's path is `/dev/stdout` or `/dev/stderr`."""
        return self.logs.lines(path)

    def records(self, path: str) -> list[Any]:
        """The lines of an access log in JSON, as objects."""
        return self.logs.records(path)


def _suggest(name: str, known: Iterable[str]) -> str:
    """A name that is not there, and those that come closest."""
    close = get_close_matches(name, known, n=5, cutoff=0.5)
    return f"{name}; did you mean {', '.join(close)}?" if close else name


def _resultOf(deferred: Deferred[Any]) -> Any:
    """What a Deferred has fired with; what it failed with is raised."""
    results: list[Any] = []
    failures: list[Failure] = []
    deferred.addCallbacks(results.append, failures.append)
    for failure in failures:
        failure.raiseException()
    if not results:
        raise AssertionError("still connecting: nobody answers there")
    return results[0]
