"""Which streams are open, and what is left of those that are not."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2.bytesof import EH, HELLO, SETTINGS, headers, names
from tests.codec.h2.support import RESPONSE, Recorder, Side
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset


class TableTests(SynchronousTestCase):
    """The ways to end."""

    def server(self, streams: int) -> Side:
        side = Side(False)
        side.receive(HELLO + b"".join(headers(2 * n + 1, flags=EH) for n in range(streams)))
        side.wire.take()
        return side

    def test_fail(self) -> None:
        """The peer gets RST_STREAM, the decoder the reason, and the stream is reset by us."""
        side = self.server(1)
        table = side.codec.table
        table.fail(table.streams[1], 1, "details")
        self.assertEqual(names(side.wire.take()), ["RstStream"])
        self.assertEqual(side.owner.requests[0].reset, (Reset.PROTOCOL_ERROR, "details"))
        self.assertTrue(table.resets.byUs(1))
        self.assertEqual(table.streams, {})

    def test_resetAll(self) -> None:
        """Everyone is told, also when one of them resets another meanwhile."""
        side = self.server(3)
        one, two, three = side.owner.requests

        class Meddling(Recorder):
            def streamReset(self, reason: Reset, details: str) -> None:
                super().streamReset(reason, details)
                three.encoder.resetStream(Reset.LOCAL)

        two.encoder.decoder = meddling = Meddling()
        side.codec.table.resetAll(Reset.OVERFLOW, "why")

        for request in (one, meddling, three):
            self.assertEqual(request.reset, (Reset.OVERFLOW, "why"))
        self.assertEqual(side.stats.streams_active.value, 0)
        self.assertEqual(side.wire.take(), b"")

    def test_resetAllOneRaises(self) -> None:
        """One that raises keeps nobody else from hearing; its fault is logged."""
        side = self.server(3)
        one, two, three = side.owner.requests

        class Raising(Recorder):
            def streamReset(self, reason: Reset, details: str) -> None:
                raise RuntimeError("broken")

        two.encoder.decoder = Raising()
        side.codec.table.resetAll(Reset.OVERFLOW, "why")

        for request in (one, three):
            self.assertEqual(request.reset, (Reset.OVERFLOW, "why"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_ended(self) -> None:
        """A stream goes once both its sides have ended, and a client's owner is told."""
        client = Side(True)
        client.receive(SETTINGS)
        request = client.request(ended=False)
        client.receive(headers(1, RESPONSE))
        self.assertEqual(client.owner.closed, 0)
        request.encoder.encodeTrailers(HeaderMap())
        self.assertEqual(client.owner.closed, 1)
        self.assertEqual(client.codec.streams, {})
