"""Packages that compress."""

from __future__ import annotations

import zlib

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.compression.package import importPackage

_TYPE = "envoy.extensions.compression.brotli.compressor.v3.Brotli"


class ImportPackageTests(SynchronousTestCase):
    def test_there(self) -> None:
        """Imported."""
        self.assertIs(importPackage("zlib", configOf(_TYPE)), zlib)

    def test_missing(self) -> None:
        """One error, which says what to install."""
        error = self.assertRaises(ConfigError, importPackage, "no_such_package", configOf(_TYPE))
        self.assertEqual(
            error.problem,
            "needs the Python package no_such_package, which is not installed: "
            "pip install 'twisted_envoy[compression]'",
        )
