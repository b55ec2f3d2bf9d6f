"""The compressor filter's factory."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.compressor.test_filter import ROUTE_TYPE, TYPE, library
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.config.extensions import Extensions
from twisted_envoy.errors import ConfigError, UnsupportedExtension
from twisted_envoy.extensions.filters.http.compressor import factories
from twisted_envoy.extensions.filters.http.compressor.filter import Compressor, ResponseCompressor
from twisted_envoy.interfaces.http import IHTTPFilterFactory

_COMMON = {
    "enabled": {"default_value": True, "runtime_key": "on"},
    "min_content_length": 10,
    "content_type_matcher": [{"prefix": "text/"}],
    "content_type": ["a/b"],
}
_OLD = {
    "content_length": 10,
    "content_type": ["a/b"],
    "disable_on_etag_header": True,
    "remove_accept_encoding_header": True,
    "runtime_enabled": {"default_value": True, "runtime_key": "on"},
}


class BuildingContext(Context):
    """One that finds extensions."""

    def build(self, extension: Any, category: str) -> Any:
        factory, config = Extensions().open(extension, category)
        return factory.build(config, self)


class FactoryTests(SynchronousTestCase):
    def test_everyFieldIsRead(self) -> None:
        """New ones and, beside them, the old ones that they replace."""
        (factory,) = factories
        self.assertTrue(IHTTPFilterFactory.providedBy(factory))
        fields = {
            "compressor_library": library("gzip"),
            "request_direction_config": {"common_config": _COMMON},
            "response_direction_config": {
                "common_config": _COMMON,
                "disable_on_etag_header": True,
                "weaken_etag_on_compress": True,
                "remove_accept_encoding_header": True,
                "uncompressible_response_codes": [206],
                "status_header_enabled": True,
            },
            "choose_first": True,
            **_OLD,
        }
        config = configOf(TYPE, fields)
        self.assertIsInstance(factory.build(config, BuildingContext())(), Compressor)
        self.assertEqual(unreadFields(config), [])

    def test_oldFieldsAreRead(self) -> None:
        """Where they count; without a word about requests these are left alone."""
        (factory,) = factories
        config = configOf(TYPE, {"compressor_library": library("gzip"), **_OLD})
        made = factory.build(config, BuildingContext())()
        self.assertIs(type(made), ResponseCompressor)
        self.assertNotIn("decodeData", made.defines)
        self.assertEqual(unreadFields(config), [])

    def test_route(self) -> None:
        """All of it is read."""
        (factory,) = factories
        overrides = {
            "response_direction_config": {"remove_accept_encoding_header": False},
            "compressor_library": library("gzip"),
        }
        for fields in ({"disabled": True}, {"overrides": overrides}, {"overrides": {}}):
            config = configOf(ROUTE_TYPE, fields)
            factory.buildRoute(config, BuildingContext())
            self.assertEqual(unreadFields(config), [])

    def test_otherLibraries(self) -> None:
        """What Envoy knows and we do not, and what nobody knows."""
        (factory,) = factories
        kind = "type.googleapis.com/envoy.extensions."
        for name, error in (
            ("compression.gzip.decompressor.v3.Gzip", UnsupportedExtension),
            ("filters.http.router.v3.Router", ConfigError),
        ):
            chosen = {"name": "x", "typed_config": {"@type": kind + name}}
            config = configOf(TYPE, {"compressor_library": chosen})
            self.assertRaises(error, factory.build, config, BuildingContext())
