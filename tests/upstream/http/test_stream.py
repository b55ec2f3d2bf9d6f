"""One request between its user and a codec."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.upstream.http.support import GET, User
from tests.upstream.support import World
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import IStreamDecoder, IStreamEncoder, Reset
from twisted_envoy.upstream.http.stream import PoolStream, countReset

OK = HeaderMap([(b":status", b"200")])


class Recorder:
    """A codec's encoder, or a connection: everything that it is told."""

    streamID, headerBytes, wireBytes = 7, 8, 9

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *given: self.calls.append((name, *given))

    def names(self):
        return [call[0] for call in self.calls]


class StreamTests(SynchronousTestCase):
    """PoolStream."""

    def setUp(self):
        self.connection, self.encoder, self.user = Recorder(), Recorder(), User()
        self.stream = PoolStream(self.connection, self.user)
        self.stream.encoder = self.encoder

    def test_interfaces(self):
        """It is both ends."""
        verifyObject(IStreamEncoder, self.stream)
        verifyObject(IStreamDecoder, self.stream)

    def test_facts(self):
        """What the codec knows is passed on."""
        stream = self.stream
        self.assertEqual((stream.streamID, stream.headerBytes, stream.wireBytes), (7, 8, 9))

    def test_passedOn(self):
        """So is back-pressure."""
        self.stream.registerProducer(None)
        self.stream.pauseReading()
        self.stream.resumeReading()
        self.stream.setBufferLimit(5)
        self.stream.encode1xx(OK)
        self.stream.streamFailed(None)
        self.assertEqual(
            self.encoder.calls,
            [
                ("registerProducer", None),
                ("pauseReading",),
                ("resumeReading",),
                ("setBufferLimit", 5),
            ],
        )

    def test_over(self):
        """It is over once both directions have ended, whichever is last."""
        self.stream.encodeHeaders(GET, False)
        self.stream.encodeData(b"a", False)
        self.stream.decodeHeaders(OK, False)
        self.stream.decodeData(b"b", False)
        self.stream.decodeData(b"c", True)
        self.assertFalse(self.stream.over)
        self.stream.encodeData(b"", True)
        self.assertTrue(self.stream.over and self.stream.whole)
        self.assertEqual(self.connection.names(), ["streamOver"])

    def test_resetOnce(self):
        """A reset is told once, and not at all behind the end."""
        self.stream.resetStream(Reset.LOCAL)
        self.stream.resetStream(Reset.LOCAL)
        self.stream.streamReset(Reset.REMOTE, "")
        self.assertEqual(self.encoder.names(), ["resetStream"])
        self.assertEqual(self.connection.calls, [("streamReset", Reset.LOCAL)])
        self.assertIsNone(self.user.wasReset)
        self.assertFalse(self.stream.whole)

    def test_peersReset(self):
        """The peer's reaches the user."""
        self.stream.streamReset(Reset.REMOTE, "why")
        self.stream.encodeTrailers(HeaderMap())
        self.stream.decodeTrailers(HeaderMap())
        self.assertIs(self.user.wasReset, Reset.REMOTE)
        self.assertEqual(self.connection.calls, [("streamReset", Reset.REMOTE)])

    def test_counters(self):
        """Which reset counts as what."""
        world = World()
        stats = world.cluster.stats
        for reason in Reset:
            countReset(stats, reason)
        self.assertEqual(
            world.used(),
            {
                "upstream_rq_rx_reset": 1,
                "upstream_rq_rx_reset_no_error": 1,
                "upstream_rq_tx_reset": 3,
                "upstream_rq_pending_failure_eject": 4,
            },
        )
