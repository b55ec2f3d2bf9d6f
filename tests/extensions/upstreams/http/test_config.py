"""HttpProtocolOptions."""

from __future__ import annotations

from tests.bootstraps import bootstrap, cluster
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.testing import MemoryEnvoy

NAME = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
FILTERS = "type.googleapis.com/envoy.extensions.filters.http."
CODEC = {"name": "codec", "typed_config": {"@type": FILTERS + "upstream_codec.v3.UpstreamCodec"}}
MUTATION = {
    "name": "m",
    "typed_config": {"@type": FILTERS + "header_mutation.v3.HeaderMutation"},
}
HTTP1 = {"explicit_http_config": {"http_protocol_options": {}}}


class ProtocolOptionsTests(RefusalTestCase):
    """Read as part of a cluster."""

    def text(self, **fields):
        typed = {"@type": f"type.googleapis.com/{NAME}", **fields}
        made = cluster("c", "1.2.3.4:5", typed_extension_protocol_options={NAME: typed})
        return bootstrap([], [made])

    def built(self, **fields):
        return MemoryEnvoy(self.text(**fields)).server.clusters.get("c").http.settings

    def test_explicit(self):
        """One protocol with its options."""
        made = self.built(explicit_http_config={"http_protocol_options": {"enable_trailers": True}})
        self.assertEqual((made.protocol, made.http1.enableTrailers), ("HTTP/1.1", True))
        made = self.built(explicit_http_config={"http2_protocol_options": {"allow_connect": True}})
        self.assertEqual((made.protocol, made.http2.allowConnect), ("HTTP/2", True))

    def test_downstream(self):
        """The downstream's protocol, with options for each."""
        made = self.built(
            use_downstream_protocol_config={
                "http_protocol_options": {"enable_trailers": True},
                "http2_protocol_options": {"max_concurrent_streams": 3},
            }
        )
        self.assertEqual(made.protocol, "")
        self.assertEqual((made.http1.enableTrailers, made.http2.maxConcurrentStreams), (True, 3))

    def test_common(self):
        """Options of every protocol."""
        made = self.built(common_http_protocol_options={"max_stream_duration": "7s"}, **HTTP1)
        self.assertEqual((made.common.maxStreamDuration, made.common.idleTimeout), (7, 3600))

    def test_required(self):
        """A choice must be made."""
        self.assertRefused(self.text(), "upstream_protocol_options")
        self.assertRefused(self.text(explicit_http_config={}), "protocol_config")

    def test_noHTTP3(self):
        """HTTP/3 is not there."""
        for field in ("explicit_http_config", "use_downstream_protocol_config"):
            problem = self.refused(self.text(**{field: {"http3_protocol_options": {}}}))
            self.assertIsInstance(problem, UnsupportedField)
            self.assertIn("HTTP/3 is not implemented", str(problem))

    def test_filters(self):
        """The codec alone is what there is anyway."""
        self.built(http_filters=[CODEC], **HTTP1)
        self.assertRefused(
            self.text(http_filters=[CODEC, MUTATION], **HTTP1),
            "The codec filter is the only valid terminal upstream HTTP filter, use "
            "'envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec'",
        )
        problem = self.refused(self.text(http_filters=[MUTATION, CODEC], **HTTP1))
        self.assertIsInstance(problem, UnsupportedField)

    def test_notObeyed(self):
        """What stays unread is reported."""
        for field, value in (
            ("header_validation_config", CODEC),
            ("request_mirror_policies", [{"cluster": "c"}]),
            ("retry_policy", {"retry_on": "5xx"}),
            ("hash_policy", [{"connection_properties": {"source_ip": True}}]),
        ):
            problem = self.refused(self.text(**{field: value}, **HTTP1))
            self.assertIsInstance(problem, UnsupportedField)
            self.assertIn(field, str(problem))
