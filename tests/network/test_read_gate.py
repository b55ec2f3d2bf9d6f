"""The read gate: reasons, not votes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.network.wire import Wire
from twisted_envoy.network.read_gate import CONNECTING, FILTER, HELD_FULL, PEER_FULL, ReadGate
from twisted_envoy.stats.metrics import Counter

REASONS = (CONNECTING, PEER_FULL, HELD_FULL, FILTER, FILTER << 1, FILTER << 70)


class ReadGateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.wire = Wire()
        self.gate = ReadGate(self.wire)  # type: ignore[arg-type]

    def test_isAProducer(self) -> None:
        """It is what is registered with the consumer of the bytes."""
        verifyObject(IPushProducer, self.gate)

    def test_firstShutsLastOpens(self) -> None:
        """It is shut while there is any reason."""
        seen = []

        for verb, reason in (
            ("shut", CONNECTING),
            ("shut", PEER_FULL),
            ("open", CONNECTING),
            ("open", PEER_FULL),
        ):
            getattr(self.gate, verb)(reason)
            seen.append(self.wire.reading)

        self.assertEqual(seen, [False, False, False, True])

    def test_sameReasonTwiceIsOne(self) -> None:
        """And a reason that is not there cannot end."""
        calls: list[str] = []
        self.wire.resumeProducing = lambda: calls.append("resume")  # type: ignore[method-assign]

        self.gate.open(PEER_FULL)
        self.gate.shut(PEER_FULL)
        self.gate.shut(PEER_FULL)
        self.gate.open(CONNECTING)
        self.gate.open(PEER_FULL)
        self.gate.open(PEER_FULL)

        self.assertEqual(calls, ["resume"])

    def test_asProducer(self) -> None:
        """A consumer's pause is the reason PEER_FULL; both are counted; its end is nothing."""
        self.gate.paused, self.gate.resumed = Counter("paused"), Counter("resumed")
        self.gate.pauseProducing()
        paused = (self.wire.reading, self.gate.reasons)
        self.gate.resumeProducing()
        self.gate.stopProducing()

        self.assertEqual(paused, (False, PEER_FULL))
        self.assertTrue(self.wire.reading)
        self.assertEqual((self.gate.paused.value, self.gate.resumed.value), (1, 1))
        self.assertEqual(self.wire.said, [])

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.sampled_from(REASONS)), max_size=30))
    def test_readExactlyWhileThereIsNoReason(self, steps: list[tuple[bool, int]]) -> None:
        """Whatever is said, in whatever order."""
        wire = Wire()
        gate = ReadGate(wire)  # type: ignore[arg-type]
        reasons: set[int] = set()

        for shut, reason in steps:
            if shut:
                reasons.add(reason)
                gate.shut(reason)
            else:
                reasons.discard(reason)
                gate.open(reason)
            self.assertEqual(wire.reading, not reasons)
