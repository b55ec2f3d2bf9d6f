"""Why a host is ejected."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.upstream.outlier.kinds import Kind
from twisted_envoy.upstream.outlier.settings import DEFAULTS


class KindTests(SynchronousTestCase):
    def test_settings(self) -> None:
        """Each has a setting that says how often it is enforced."""
        enforcing = {name for name in DEFAULTS if name.startswith("enforcing_")}
        self.assertEqual({kind.setting for kind in Kind}, enforcing)
