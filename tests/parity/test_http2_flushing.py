"""HTTP/2 clients that are slow: with their headers, and with the answer."""

from __future__ import annotations

from typing import Any, ClassVar

from hyperframe.frame import WindowUpdateFrame

from tests.bootstraps import cluster
from tests.parity.exchanges import END
from tests.parity.h2_exchanges import asked, block, data, get, head, http2, opening, raw, reset
from tests.parity.http_origins import Scripted
from tests.parity.managers import ManagerTestCase, direct, host, manager, route
from tests.parity.peers import Served
from tests.parity.support import Side, served

_LOG = (
    "%REQ(X-CASE)% %REQ(:METHOD)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% "
    "%RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% "
    "%DOWNSTREAM_WIRE_BYTES_RECEIVED% %DOWNSTREAM_HEADER_BYTES_RECEIVED%"
)
_BLOCK = block(asked("/a"))
_BEGUN = raw(1, 1, 1, _BLOCK[:10])
_REST = raw(9, 4, 1, _BLOCK[10:])
_EMPTY = raw(9, 0, 1, b"")


def narrow(path: str, case: str, *then: bytes) -> list[bytes]:
    """A request for more than the stream's window takes."""
    return [opening({4: 1000}), get(1, path, ("x-case", case)), *then]


def posted(case: str, *rest: bytes, length: int | None = None) -> bytes:
    """A request with a body."""
    sized = [] if length is None else [("content-length", str(length))]
    begun = head(1, asked("/up", ("x-case", case), *sized, method="POST"))
    return begun + b"".join(rest)


class SlowTests(ManagerTestCase):
    """A stream lasts until all of its answer is sent, and begins with its first frame."""

    unlike = ManagerTestCase.unlike + "|cx_tx_bytes|cx_delayed_close|cx_destroy|cx_protocol_error"
    origins: ClassVar[dict[str, Served | None]] = {"origin": Scripted()}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        large = {
            "max_direct_response_body_size_bytes": 100000,
            "virtual_hosts": [
                host("all", routes=[direct("y" * 90000, prefix="/large"), route(prefix="/")])
            ],
        }
        limits: dict[str, dict[str, Any]] = {
            "flush": {},
            "idle": {"stream_idle_timeout": "0.3s"},
            "duration": {"common_http_protocol_options": {"max_stream_duration": "0.2s"}},
            "headers": {"request_headers_timeout": "0.2s"},
            "bytes": {},
        }
        listeners = [
            manager(name, log=_LOG, config=large, codec_type="HTTP2", **fields)
            for name, fields in limits.items()
        ]
        return served(listeners, [cluster("origin", f"127.0.0.1:{ports['origin']}")])

    def talked(self, side: Side, name: str, conversations: dict[str, Any]) -> Any:
        """Over HTTP/2."""
        return http2(side.program.port(name), conversations)

    def test_flushing(self) -> None:
        """An answer that waits for the window can still be given up by its client."""
        opened = WindowUpdateFrame(1, window_increment=200000).serialize()
        conversations = {
            "opened": narrow("/large", "opened", opened),
            "closed": narrow("/large", "closed"),
            "ended": narrow("/large", "ended", END),
        }
        self.together(["flush", "duration"], conversations)
        heard = self.compared("idle", conversations, stats="^http2.tx_flush_timeout")
        self.assertIn("RST 2", heard["closed"]["1"])

    def test_reset(self) -> None:
        """What its client resets while it waits is told as reset."""
        self.compared("flush", {"reset": narrow("/large", "reset", reset(1))}, 0)

    def test_lateHeaders(self) -> None:
        """The times of a request run from its first frame, also when it says nothing yet."""
        conversations: dict[str, Any] = {
            "silent": _BEGUN,
            "whole": [_BEGUN, _REST],
            "next": [_BEGUN, _REST, get(3)],
            "behind": [get(1), raw(1, 1, 3, _BLOCK[:10])],
            "gone": [_BEGUN, END],
            "late": [_BEGUN, b"", b"", b"", _REST, get(3)],
        }
        count = len(conversations) + 2
        self.together(["headers"], conversations, count)

    def test_bytes(self) -> None:
        """Frames of a request are counted, its headers too."""
        conversations = {
            "get": get(1, "/up", ("x-case", "get")),
            "post": posted("post", data(1, b"hello", "END_STREAM"), length=5),
            "large": posted("large", *[data(1, bytes(16000))] * 4, data(1, b"", "END_STREAM")),
            "trailers": posted(
                "trailers", data(1, b"hello"), head(1, [("x-t", "v")], "END_STREAM")
            ),
            "pieces": [_BEGUN, _REST],
        }
        self.compared("bytes", conversations)
