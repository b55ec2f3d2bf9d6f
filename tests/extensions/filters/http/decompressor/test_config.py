"""The decompressor filter's factory."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.compressor.test_config import BuildingContext
from tests.extensions.filters.http.decompressor.test_filter import TYPE, library
from tests.extensions.support import configOf, unreadFields
from twisted_envoy.extensions.filters.http.decompressor import factories
from twisted_envoy.extensions.filters.http.decompressor.filter import Decompressor
from twisted_envoy.interfaces.http import IHTTPFilterFactory


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """None is left over."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        common = {"enabled": {"default_value": True}, "ignore_no_transform_header": True}
        config = configOf(
            TYPE,
            {
                "decompressor_library": library("gzip"),
                "request_direction_config": {
                    "common_config": common,
                    "advertise_accept_encoding": True,
                },
                "response_direction_config": {"common_config": common},
            },
        )
        self.assertIsInstance(factory.build(config, BuildingContext())(), Decompressor)
        self.assertEqual(unreadFields(config), [])
