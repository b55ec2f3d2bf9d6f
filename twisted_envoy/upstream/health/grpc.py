"""
Asks a host by `grpc.health.v1.Health/Check`.

Envoy: source/extensions/health_checkers/grpc
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.upstream.health.exchange import Answer
from twisted_envoy.upstream.health.http import USER_AGENT, RequestProbe, hostnameFor
from twisted_envoy.upstream.health.settings import Failure
from twisted_envoy.values import dataclass

if TYPE_CHECKING:
    from twisted_envoy.http.routes.header_edits import HeaderEdits

_PATH = b"/grpc.health.v1.Health/Check"
_TYPE = b"application/grpc"
_OK = b"0"
_SERVING = 1
_STATUS_FIELD = 0x08


@dataclass(frozen=True, slots=True)
class GRPCCheck:
    """
    What the config says.

    Attributes:
        service: that is asked for, empty for the server as a whole.
        timeout: milliseconds, told to the host.
    """

    service: str = ""
    authority: str = ""
    timeout: int = 0
    scheme: bytes = b"http"
    edits: HeaderEdits | None = None


def requestFor(service: str) -> bytes:
    """A HealthCheckRequest in its frame."""
    name = service.encode()
    message = b""
    if name:
        message = b"\x0a" + _varint(len(name)) + name
    return b"\0" + len(message).to_bytes(4, "big") + message


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def isServing(body: bytes) -> bool:
    """Is that one frame with a HealthCheckResponse that says SERVING?"""
    if len(body) < 5 or body[0] or len(body) != 5 + int.from_bytes(body[1:5], "big"):
        return False
    message = body[5:]
    return len(message) == 2 and message[0] == _STATUS_FIELD and message[1] == _SERVING


class GRPCProbe(RequestProbe[GRPCCheck]):
    """One host's."""

    def check(self) -> None:
        check = self._check
        headers = HeaderMap(
            [
                (b":method", b"POST"),
                (b":path", _PATH),
                (b":authority", hostnameFor(self._host, check.authority)),
                (b":scheme", check.scheme),
                (b"te", b"trailers"),
                (b"content-type", _TYPE),
                (b"user-agent", USER_AGENT),
            ]
        )
        self._edit(headers, check.edits, "HTTP/2")
        headers.add(b"grpc-timeout", b"%dm" % check.timeout)
        self._client.ask(headers, requestFor(check.service), 1024, self._answered)

    def _judge(self, headers: HeaderMap, answer: Answer) -> None:
        last = headers if answer.trailers is None else answer.trailers
        kind = headers.get(b"content-type") or b""
        if (
            headers[b":status"] == b"200"
            and kind.startswith(_TYPE)
            and last.get(b"grpc-status") == _OK
            and isServing(answer.body)
        ):
            self._report.succeeded()
        else:
            self._report.failed(Failure.ACTIVE)
