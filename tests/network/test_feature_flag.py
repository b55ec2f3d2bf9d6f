"""Switches that runtime may turn."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from twisted_envoy.network.feature_flag import buildFlag
from twisted_envoy.server.runtime import Runtime

_TYPE = "envoy.config.core.v3.RuntimeFeatureFlag"


def flag(**fields: Any) -> Any:
    """The View of one."""
    return configOf(_TYPE, fields)


class BuildFlagTests(SynchronousTestCase):
    def test_none(self) -> None:
        """On."""
        self.assertTrue(buildFlag(None, Runtime())())

    def test_default(self) -> None:
        """What it says, without a key."""
        for value in (True, False):
            self.assertIs(buildFlag(flag(default_value=value), Runtime())(), value)

    def test_runtime(self) -> None:
        """Its value counts at the moment, if it is a flag."""
        runtime = Runtime()
        isOn = buildFlag(flag(default_value=False, runtime_key="a.b"), runtime)
        seen = [isOn()]
        for value in (True, "no flag", False):
            runtime.values = {"a.b": value}
            seen.append(isOn())
        self.assertEqual(seen, [False, True, False, False])
        self.assertEqual(runtime.unasked(), [])
