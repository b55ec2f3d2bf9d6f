"""
The admin interface of a bootstrap: `admin` read, bound and served.

Follows envoy.config.bootstrap.v3.Admin. Nothing of it is imported unless a bootstrap has an admin
address: twisted.web is not free.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from typing import Any as Untyped

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.logger import Logger

from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.access_log.logger import FileAccessLogger
from twisted_envoy.formatter.text import DEFAULT_FORMAT, compileText
from twisted_envoy.interfaces.sockets import ISocketInterface, ListenOptions
from twisted_envoy.server.admin.admin_stats import AdminStats
from twisted_envoy.server.admin.channel import AccessLogger, AdminFactory, Timer
from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.router import AdminRouter, PathMatcher
from twisted_envoy.server.admin.target import AdminTarget
from twisted_envoy.server.build_address import buildAddress
from twisted_envoy.server.build_options import socketOptions
from twisted_envoy.state.addresses import addressText
from twisted_envoy.stats.regex import compileRegex

if TYPE_CHECKING:
    from twisted_envoy.access_log.manager import AccessLogManager
    from twisted_envoy.config.view import View

_log = Logger()


class AdminContext(Protocol):
    """The parts of IFactoryContext that are needed here."""

    reactor: Timer
    accessLogs: AccessLogManager
    sockets: ISocketInterface


BuildAccessLogs = Callable[[Untyped, Untyped], tuple[AccessLogger, ...]]


class Admin:
    """
    The admin interface.

    Args:
        address: where to listen.
        options: how.
        factory: answers.
        addressPath: `--admin-address-path`, "" for none.

    Attributes:
        address: with the port that was really bound, once listen has fired.
    """

    def __init__(
        self,
        address: IAddress,
        options: ListenOptions,
        factory: AdminFactory,
        sockets: ISocketInterface,
        addressPath: str = "",
    ) -> None:
        self.address = address
        self.factory = factory
        self._options = options
        self._sockets = sockets
        self._addressPath = addressPath
        self._port: IListeningPort | None = None

    def listen(self) -> Deferred[None]:
        """
        Bind and write the address file.

        Returns:
            Fires when it listens; fails with CannotListenError.
        """
        _log.info(
            "Starting admin HTTP server at {address}",
            address=addressText(self.address),
            component="main",
        )
        endpoint = self._sockets.serverEndpoint(self.address, self._options)
        listening: Deferred[IListeningPort] = endpoint.listen(self.factory)
        return listening.addCallback(self._bound)

    def _bound(self, port: IListeningPort) -> None:
        self._port = port
        self.address = port.getHost()
        text = addressText(self.address)
        _log.info("admin address: {address}", address=text)
        if self._addressPath:
            self._writeAddress(text)

    def _writeAddress(self, text: str) -> None:
        try:
            with open(self._addressPath, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            _log.error(
                "cannot open admin address output file {path} for writing.",
                path=self._addressPath,
                log_critical=True,
            )

    def stop(self) -> Deferred[None]:
        """
        Accept no more connections, and close those that are open.

        Returns:
            Fires when the last answer is sent; after a second at the latest.
        """
        done: Deferred[None] = Deferred()
        port, self._port = self._port, None
        if port is None:
            done.callback(None)
            return done
        stopped: object = port.stopListening()
        if isinstance(stopped, Deferred):
            stopped.addBoth(lambda result: done.callback(None))
        else:
            done.callback(None)
        return done.addCallback(lambda result: self.factory.closeConnections())


def buildAdmin(
    view: View, target: AdminTarget, context: AdminContext, buildAccessLogs: BuildAccessLogs
) -> Admin | None:
    """
    Read the bootstrap's `admin`.

    Args:
        view: of config.bootstrap.v3.Admin.
        buildAccessLogs: access_log's, for `access_log`; called only when there is one.
    Returns:
        None when it has no address: then there is no admin interface.
    Raises:
        ConfigError: an address or pattern that is none.
    """
    config: Untyped = view
    config.moot("profile_path", "there is no CPU profiler")
    config.moot("ignore_global_conn_limit", "admin connections are not counted against the limit")
    if config.address is None:
        for field in ("socket_options", "allow_paths", "access_log", "access_log_path"):
            config.moot(field, "there is nothing to connect to")
        return None
    logs = buildAccessLogs(config.access_log, context) if config.access_log else ()
    if config.access_log_path:
        logs += (_fileLog(config, context),)
    address, options = readAddress(config)
    router = AdminRouter(
        target, MessageKit(config.message.DESCRIPTOR.file.pool), _allowedPaths(config.allow_paths)
    )
    factory = AdminFactory(router, AdminStats(target.store), context.reactor, logs)
    return Admin(address, options, factory, context.sockets, target.options.adminAddressPath)


def _fileLog(config: Untyped, context: AdminContext) -> AccessLogger:
    """The deprecated `access_log_path`: a file in the default format."""
    try:
        file = context.accessLogs.open(config.access_log_path)
    except AccessLogError as error:
        raise config.error(str(error), "access_log_path") from error
    return FileAccessLogger(file, compileText(DEFAULT_FORMAT))


def readAddress(config: Untyped) -> tuple[IAddress, ListenOptions]:
    """
    Read `admin.address` and how to listen there.

    Raises:
        ConfigError: not an address, or one that is not of this kernel.
    """
    options = tuple(socketOptions(config.socket_options))
    view = config.address
    kind = view.which("address")
    if kind == "pipe":
        return buildAddress(view), ListenOptions(pipeMode=view.pipe.mode, options=options)
    if kind != "socket_address":
        raise view.error("the admin interface listens on a socket_address or a pipe", kind)
    return buildAddress(view), ListenOptions(
        reusePort=False, ipv4Compat=view.socket_address.ipv4_compat, options=options
    )


def _allowedPaths(matchers: tuple[Untyped, ...]) -> PathMatcher | None:
    """One function of `allow_paths`; None when it is empty."""
    if not matchers:
        return None
    tests = [_stringMatcher(matcher) for matcher in matchers]
    return lambda path: any(test(path) for test in tests)


def _stringMatcher(matcher: Untyped) -> PathMatcher:
    kind = matcher.which("match_pattern")
    if kind == "safe_regex":
        return _regex(matcher.safe_regex)
    if kind not in ("exact", "prefix", "suffix", "contains"):
        raise matcher.error("this kind of matcher is not supported for admin paths", kind)
    wanted: str = getattr(matcher, kind)
    fold = bool(matcher.ignore_case)
    if fold:
        wanted = wanted.lower()
    tests: dict[str, PathMatcher] = {
        "exact": lambda path: path == wanted,
        "prefix": lambda path: path.startswith(wanted),
        "suffix": lambda path: path.endswith(wanted),
        "contains": lambda path: wanted in path,
    }
    test = tests[kind]
    return (lambda path: test(path.lower())) if fold else test


def _regex(matcher: Untyped) -> PathMatcher:
    try:
        pattern: re.Pattern[str] = compileRegex(matcher.regex)
    except ValueError as error:
        raise matcher.error(str(error), "regex") from error
    return lambda path: pattern.fullmatch(path) is not None
