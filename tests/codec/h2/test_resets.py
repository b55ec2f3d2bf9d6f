"""Reset reasons and codes, and the memory of streams that were reset."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.h2.resets import ResetStreams, codeOf, reasonOf
from twisted_envoy.codec.http import Reset


class ResetsTests(SynchronousTestCase):
    """Both ways."""

    def test_codes(self) -> None:
        """Envoy's; NO_ERROR only for a local end of what was answered."""
        self.assertEqual(codeOf(Reset.LOCAL, True), 0)
        self.assertEqual(codeOf(Reset.LOCAL, False), 2)
        self.assertEqual(codeOf(Reset.CONNECT_ERROR, True), 10)
        self.assertEqual(codeOf(Reset.OVERLOAD_MANAGER, False), 2)

    def test_reasons(self) -> None:
        """Any unknown code is a remote reset."""
        self.assertEqual(reasonOf(7)[0], Reset.REMOTE_REFUSED)
        self.assertEqual(reasonOf(12345)[0], Reset.REMOTE)

    def test_noError(self) -> None:
        """Behind a whole response it only says that the rest of the request is not wanted."""
        self.assertEqual(reasonOf(0, True)[0], Reset.REMOTE_NO_ERROR)
        self.assertEqual(reasonOf(0, False)[0], Reset.REMOTE)
        self.assertEqual(reasonOf(8, True)[0], Reset.REMOTE)

    def test_memory(self) -> None:
        """Who reset which; of many, the old ones count as ours."""
        resets = ResetStreams()
        resets.add(1, True)
        resets.add(3, False)
        self.assertEqual((resets.byUs(1), resets.byPeer(1)), (True, False))
        self.assertEqual((resets.byUs(3), resets.byPeer(3)), (False, True))
        self.assertEqual((resets.byUs(5), resets.byPeer(5)), (False, False))
        for stream in range(7, 9001, 2):
            resets.add(stream, False)
        self.assertEqual((resets.byUs(3), resets.byPeer(3)), (True, False))
        self.assertTrue(resets.byPeer(8999))
