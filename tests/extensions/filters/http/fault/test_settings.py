"""What a fault config says."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.fault.test_config import FULL
from tests.extensions.support import configOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.fault.settings import Abort, Delay, Share, readSettings

TYPE = "envoy.extensions.filters.http.fault.v3.HTTPFault"


class SettingsTests(SynchronousTestCase):
    def test_full(self) -> None:
        """Everything as it was set."""
        settings = readSettings(configOf(TYPE, FULL))
        self.assertEqual(settings.delay, Delay(Share(1, 100, "k1"), 1.0))
        self.assertEqual(settings.abort, Abort(Share(1, 100, "k2"), 500, None, b"x"))
        assert settings.rateLimit is not None
        self.assertEqual(settings.rateLimit.kilobytes, 1)
        self.assertEqual(settings.nodes, {b"n"})
        self.assertEqual((settings.most, settings.mostKey), (3, "k5"))
        self.assertEqual((settings.delayKey, settings.httpStatusKey), ("k3", "k4"))
        self.assertEqual((settings.grpcStatusKey, settings.clusterStats), ("k7", False))

    def test_keys(self) -> None:
        """Without names of one's own they are Envoy's."""
        settings = readSettings(configOf(TYPE, {"delay": {"header_delay": {}}}))
        assert settings.delay is not None
        share = settings.delay.share
        self.assertEqual(share.runtimeKey, "fault.http.delay.fixed_delay_percent")
        self.assertEqual(settings.mostKey, "fault.http.max_active_faults")

    def test_share(self) -> None:
        """A header may ask for fewer, and not for more."""
        share = Share(50, 100, "", b"x-p")
        for value, numerator in ((b"10", 10), (b"90", 50), (b"x", 50)):
            self.assertEqual(share.of(HeaderMap([(b"x-p", value)])), numerator)
        self.assertEqual(share.of(HeaderMap()), 50)
        self.assertEqual(Share(50, 100, "").of(HeaderMap([(b"", b"1")])), 50)
