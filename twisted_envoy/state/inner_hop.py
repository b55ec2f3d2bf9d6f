"""
What the far side of an internal connection learned, as a filter state object.

`%UPSTREAM_FILTER_STATE(twisted_envoy.inner_hop:FIELD:connect_status)%` in the log of the side that
connected. Not Envoy's; a real Envoy prints `-` for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from twisted_envoy.state.addresses import addressText
from twisted_envoy.state.stream_info import StreamInfo

INNER_HOP = "twisted_envoy.inner_hop"
"""The object's name in the upstream filter state of the outer connection."""

_FIELDS = (
    *("connect_status", "connect_headers", "cluster", "host", "peer", "response_flags"),
    *("failure", "close_reason", "detected_close", "bytes_sent", "bytes_received"),
)
_HEADER = "connect_header."
_DEEPER = "inner."


class InnerHop:
    """
    Reads the inner connection's StreamInfo when it is asked: what is not known yet is None.

    Fields:
        connect_status: of the answer to its CONNECT or POST. connect_header.NAME: one header of
            it. connect_headers: all of them.
        cluster, host, peer: where its bytes go: names, and the address at the other end.
        response_flags: comma-separated. failure: why it could not connect.
        close_reason: why it closed the connection itself.
        detected_close: how its upstream connection ended: `Normal`, `RemoteReset`, ...
        bytes_sent, bytes_received: of the inner connection.
        inner.FIELD: the same of the hop behind it.

    Args:
        streamInfo: of the inner connection.
    """

    __slots__ = ("_answer", "_info")

    def __init__(self, streamInfo: StreamInfo) -> None:
        self._info = streamInfo
        self._answer: tuple[tuple[bytes, bytes], ...] = ()

    def answered(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """The tunnel's answer came: its headers, `:status` among them."""
        self._answer = tuple(headers)

    def plainText(self) -> str | None:
        """The response flags."""
        return ",".join(self._info.responseFlags) or None

    def typed(self) -> object:
        """All fields that are known."""
        found = {name: self.field(name) for name in _FIELDS}
        deeper = self._deeper()
        if deeper is not None:
            found["inner"] = deeper.typed()
        return {name: value for name, value in found.items() if value is not None}

    def field(self, name: str) -> object:
        """One field; None when it is unknown, or not known yet."""
        if name.startswith(_DEEPER):
            deeper = self._deeper()
            return None if deeper is None else deeper.field(name[len(_DEEPER) :])
        if name.startswith(_HEADER):
            return self._header(name[len(_HEADER) :].lower().encode())
        if name.startswith("connect_"):
            return self._ofAnswer(name)
        return self._ofConnection(name)

    def hashKey(self) -> Hashable | None:
        """It separates no pools."""
        return None

    def _header(self, name: bytes) -> str | None:
        values = [value for header, value in self._answer if header == name]
        return b",".join(values).decode("utf-8", "replace") if values else None

    def _ofAnswer(self, name: str) -> object:
        if name == "connect_status":
            status = self._header(b":status")
            return None if status is None else int(status)
        if name == "connect_headers" and self._answer:
            return [
                {"key": header.decode(), "value": value.decode("utf-8", "replace")}
                for header, value in self._answer
            ]
        return None

    def _ofConnection(self, name: str) -> object:
        info = self._info
        upstream = info.upstream
        if name == "response_flags":
            return ",".join(info.responseFlags) or None
        if name == "bytes_sent":
            return info.bytesSent
        if name == "bytes_received":
            return info.bytesReceived
        if name == "close_reason":
            return info.localCloseReason or info.connectionTerminationDetails or None
        if upstream is None:
            return None
        if name == "cluster":
            return upstream.clusterName or None
        if name == "host":
            return addressText(getattr(upstream.host, "address", None)) or None
        if name == "peer":
            return addressText(upstream.remoteAddress) or None
        if name == "failure":
            return upstream.transportFailureReason or None
        return upstream.detectedCloseType if name == "detected_close" else None

    def _deeper(self) -> InnerHop | None:
        upstream = self._info.upstream
        state = None if upstream is None else upstream.filterState
        found = None if state is None else state.get(INNER_HOP)
        return found if isinstance(found, InnerHop) else None
