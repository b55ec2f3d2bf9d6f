"""The connection's window, and DATA that may not come; more in test_conformance and test_stream."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, ES, HELLO, frame, headers, parse
from tests.codec.h2.support import OverLibrary, Side
from twisted_envoy.codec.h2 import failures
from twisted_envoy.codec.settings import HTTP2Settings

WINDOW = 65535


class BodiesTests(SynchronousTestCase):
    """A server whose connection takes 65535 bytes."""

    def setUp(self) -> None:
        super().setUp()
        self.side = Side(False, HTTP2Settings(initialConnectionWindow=WINDOW))
        self.side.receive(HELLO + headers(1, flags=EH) + headers(3, flags=EH))
        self.side.wire.take()

    def updates(self) -> list[tuple[int, int]]:
        """Stream and bytes of each WINDOW_UPDATE."""
        return [(one.stream_id, one.window_increment) for one in parse(self.side.wire.take())]

    def test_acknowledged(self) -> None:
        """Half of the window is given back at once, of all streams together."""
        for streamID in (1, 3):
            self.side.receive(frame(0, 0, streamID, bytes(16_000)))
            self.assertEqual(self.updates(), [])
        self.side.receive(frame(0, 0, 1, bytes(768)))
        self.assertEqual(self.updates(), [(0, 32_768)])

    def test_held(self) -> None:
        """What the owner does not take is not given back, and the window is a limit."""
        self.side.owner.requests[0].encoder.pauseReading()
        for _ in range(4):
            self.assertIsNone(self.side.receive(frame(0, 0, 1, bytes(16_383))))
        self.assertEqual(self.updates(), [])
        self.assertEqual(self.side.receive(frame(0, 0, 3, bytes(4))), failures.PROTOCOL)
        (goAway,) = parse(self.side.wire.take())
        self.assertEqual(goAway.error_code, 3)

    def test_paddingCounts(self) -> None:
        """Padding takes the window, too, and is given back."""
        self.side.receive(frame(0, 8, 1, b"\xff" + bytes(300)) * 109)
        self.assertEqual(self.updates(), [(0, 109 * 301)])
        self.assertEqual(len(self.side.owner.requests[0].body), 109 * 45)

    def test_stray(self) -> None:
        """DATA of closed streams is given back, too."""
        self.side.receive(frame(0, ES, 1))
        self.side.receive(frame(0, 0, 1, bytes(16_384)))
        self.side.receive(frame(0, 0, 1, bytes(16_384)))
        frames = parse(self.side.wire.take())
        self.assertEqual([type(one).__name__ for one in frames[:1]], ["RstStreamFrame"])
        self.assertEqual([type(one).__name__ for one in frames[1:]], ["WindowUpdateFrame"])


class LibraryBodiesTests(OverLibrary, BodiesTests):
    """The same over the reference core."""
