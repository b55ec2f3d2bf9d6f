"""
The secrets of connections, for who records what is on the wire.

Envoy: ContextImpl::keylogCallback, `extensions.transport_sockets.tls.v3.TlsKeyLog`
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IAddress
from twisted.logger import Logger

from twisted_envoy.network.cidr import CIDR, ipKey, parseCIDR

_log = Logger("config")


class KeyLog:
    """
    A file that gets a line for each secret.

    Args:
        local, remote: the addresses of connections whose secrets are told; empty for all. Both must
            have the connection's, which an internal one has not.
    """

    def __init__(self, path: str, local: tuple[CIDR, ...], remote: tuple[CIDR, ...]) -> None:
        self._path = path
        self._local = local
        self._remote = remote

    def __call__(self, connection: SSL.Connection, line: bytes) -> None:
        """Write a line of a connection."""
        if self._local or self._remote:
            wire = connection.get_app_data().wire
            if not _has(self._local, wire.getHost()) or not _has(self._remote, wire.getPeer()):
                return
        try:
            with open(self._path, "ab") as file:
                file.write(line + b"\n")
        except OSError as problem:
            _log.warn("no key log in {path}: {problem}", path=self._path, problem=problem)


def _has(ranges: tuple[CIDR, ...], address: IAddress) -> bool:
    key = ipKey(address)
    return not ranges or (key is not None and any(each.contains(key) for each in ranges))


def readKeyLog(view: Any) -> KeyLog | None:
    """
    Read a TlsKeyLog.

    Args:
        view: None without one.
    Raises:
        ConfigError: the file cannot be written, a range cannot be read.
    """
    if view is None:
        return None
    path: str = view.path_
    try:
        open(path, "ab").close()
    except OSError as problem:
        text = f"unable to open file '{path}': {problem.strerror}"
        raise view.error(text, "path") from problem
    return KeyLog(path, _ranges(view.local_address_range), _ranges(view.remote_address_range))


def _ranges(views: Iterable[Any]) -> tuple[CIDR, ...]:
    found = []
    for view in views:
        try:
            found.append(parseCIDR(view.address_prefix, view.prefix_len))
        except ValueError as problem:
            raise view.error(
                f"invalid ip/mask combo '{view.address_prefix}/{view.prefix_len}' "
                "(format is <ip>/<# mask bits>)",
                "address_prefix",
            ) from problem
    return tuple(found)
