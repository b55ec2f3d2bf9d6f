"""Frames without bodies or headers, to both sides; the table of RFC 9113 is test_conformance."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import HELLO, SETTINGS, frame, headers, number, parse, setting, window
from tests.codec.h2.support import OverLibrary, Side
from twisted_envoy.codec.h2 import failures


class ControlTests(SynchronousTestCase):
    """What a client and a server have in common."""

    def sides(self) -> list[Side]:
        client, server = Side(True), Side(False)
        client.receive(SETTINGS)
        client.request(ended=False)
        server.receive(HELLO + headers(1, flags=4))
        for side in (client, server):
            side.wire.take()
        return [client, server]

    def test_failures(self) -> None:
        """Size and stream are checked for each type."""
        for data, code in (
            (frame(2, 0, 0, bytes(5)), 1),
            (frame(2, 0, 1, bytes(4)), 6),
            (frame(2, 0, 1, number(1) + b"\0"), 1),
            (frame(3, 0, 1, bytes(3)), 6),
            (frame(3, 0, 0, bytes(4)), 1),
            (frame(4, 0, 1), 1),
            (frame(4, 0, 0, bytes(5)), 6),
            (frame(4, 1, 0, bytes(6)), 6),
            (frame(5, 4, 1, number(2)), 1),
            (frame(6, 0, 1, bytes(8)), 1),
            (frame(6, 0, 0, bytes(9)), 6),
            (frame(7, 0, 1, bytes(8)), 1),
            (frame(7, 0, 0, bytes(7)), 6),
            (window(0, 0), 1),
            (frame(8, 0, 0, bytes(5)), 6),
            (window(0, 2**31 - 1), 3),
            (window(99, 1), 1),
        ):
            for side in self.sides():
                self.assertEqual(side.receive(data), failures.PROTOCOL)
                self.assertEqual(parse(side.wire.take())[-1].error_code, code, data)

    def test_settingsMoveWindows(self) -> None:
        """A window that grows past the limit by SETTINGS ends the connection."""
        for side in self.sides():
            side.receive(window(1, 2**31 - 1 - 65535))
            self.assertIsNone(side.receive(setting(4, 1)))
            self.assertEqual(side.codec.streams[1].sendWindow, 2**31 - 65535)
            self.assertEqual(side.receive(setting(4, 65536)), failures.PROTOCOL)
            self.assertEqual(parse(side.wire.take())[-1].error_code, 3)

    def test_lateFrames(self) -> None:
        """Of a stream that is gone: ignored."""
        for side in self.sides():
            side.receive(frame(3, 0, 1, bytes(4)))
            self.assertIsNone(side.receive(window(1, 1) + frame(3, 0, 1, bytes(4))))
            self.assertEqual(side.wire.take(), b"")
            self.assertEqual(side.stats.rx_reset.value, 1)


class LibraryControlTests(OverLibrary, ControlTests):
    """The same over the reference core."""
