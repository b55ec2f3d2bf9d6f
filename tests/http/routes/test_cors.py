"""CORS policies."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.http.routes.cors import CorsPolicy, buildCors

TYPES = (
    "envoy.config.route.v3.CorsPolicy",
    "envoy.extensions.filters.http.cors.v3.CorsPolicy",
)
EVERYTHING = {
    "allow_origin_string_match": [{"exact": "a"}, {"safe_regex": {"regex": "b+"}}],
    "allow_methods": "m",
    "allow_headers": "h",
    "expose_headers": "e",
    "max_age": "1",
    "allow_credentials": True,
    "filter_enabled": {"default_value": {"numerator": 50}, "runtime_key": "on"},
    "shadow_enabled": {"default_value": {"numerator": 100}},
    "allow_private_network_access": False,
    "forward_not_matching_preflights": False,
}


def policy(**fields: Any) -> CorsPolicy:
    """What is built of such a config."""
    return buildCors(configOf(TYPES[1], fields), Context())


class BuildCorsTests(SynchronousTestCase):
    def test_everything(self) -> None:
        """Both messages are read whole."""
        for kind in TYPES:
            config = configOf(kind, EVERYTHING)
            built = buildCors(config, Context())
            self.assertEqual(unreadFields(config), [])
            self.assertEqual((built.methods, built.headers), (b"m", b"h"))
            self.assertEqual((built.exposed, built.maxAge), (b"e", b"1"))
            said = (built.credentials, built.privateNetwork, built.forwardsOthers)
            self.assertEqual(said, (True, False, False))
            self.assertEqual([built.isEnabled(bits) for bits in (49, 50)], [True, False])
            self.assertTrue(built.isShadowed(99))

    def test_nothing(self) -> None:
        """It is on, and leaves everything to the next level."""
        built = policy()
        self.assertIsNone(built.allowsOrigin)
        said = (built.credentials, built.privateNetwork, built.forwardsOthers)
        self.assertEqual(said, (None, None, None))
        self.assertTrue(built.isEnabled(0))
        self.assertFalse(built.isShadowed(0))

    def test_origins(self) -> None:
        """Any of the matchers; one that matches a star matches everything."""
        allows = policy(**EVERYTHING).allowsOrigin
        assert allows is not None
        self.assertEqual([allows(o) for o in (b"a", b"bb", b"ab")], [True, True, False])
        allows = policy(allow_origin_string_match=[{"exact": "*"}]).allowsOrigin
        assert allows is not None
        self.assertTrue(allows(b"anything"))
