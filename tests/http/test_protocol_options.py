"""From protocol options to settings."""

from __future__ import annotations

from types import SimpleNamespace

from tests.bootstraps import bootstrap, cluster
from tests.server.refusing import RefusalTestCase
from tests.switches import REFERENCE_CODEC
from twisted_envoy.codec.settings import HTTP1Settings, HTTP2Settings, Keepalive
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.http.protocol_options import (
    CommonHTTPOptions,
    readCommonOptions,
    readHTTP1Options,
    readHTTP2Options,
)
from twisted_envoy.testing import MemoryEnvoy


class OptionsTestCase(RefusalTestCase):
    """Options are read as a cluster's older fields."""

    def text(self, **fields):
        return bootstrap([], [cluster("c", "1.2.3.4:5", **fields)])

    def settings(self, **fields):
        return MemoryEnvoy(self.text(**fields)).server.clusters.get("c").http.settings

    def http1(self, **fields):
        return self.settings(http_protocol_options=fields).http1

    def http2(self, **fields):
        return self.settings(http2_protocol_options=fields).http2


class CommonTests(OptionsTestCase):
    """HttpProtocolOptions."""

    def test_none(self):
        """Without, nothing is said."""
        self.assertEqual(readCommonOptions(None), CommonHTTPOptions())

    def test_all(self):
        """Every field."""
        made = self.settings(
            common_http_protocol_options={
                "idle_timeout": "1s",
                "max_connection_duration": "2s",
                "max_connection_duration_jitter": {"value": 25},
                "max_stream_duration": "3s",
                "max_headers_count": 4,
                "max_response_headers_kb": 5,
                "headers_with_underscores_action": "DROP_HEADER",
                "max_requests_per_connection": 6,
            }
        ).common
        self.assertEqual(made, CommonHTTPOptions(1, 2, 0.25, 3, 6, 4, 5, "DROP_HEADER"))


class HTTP1Tests(OptionsTestCase):
    """Http1ProtocolOptions."""

    def test_none(self):
        """Without, only the owner's word on stream errors counts."""
        self.assertEqual(readHTTP1Options(None, None), HTTP1Settings())
        self.assertTrue(readHTTP1Options(None, None, True).streamErrors)

    def test_defaults(self):
        """Empty options are none."""
        self.assertEqual(self.http1(), HTTP1Settings())

    def test_all(self):
        """Every field."""
        made = self.http1(
            allow_absolute_url=False,
            accept_http_10=True,
            default_host_for_http_10="h",
            header_key_format={"proper_case_words": {}},
            enable_trailers=True,
            allow_chunked_length=True,
            override_stream_error_on_invalid_http_message=True,
            send_fully_qualified_url=True,
            use_balsa_parser=True,
            allow_custom_methods=True,
        )
        self.assertEqual(
            made,
            HTTP1Settings(False, True, b"h", True, "proper", False, True, True, True, True),
        )

    def test_ignoredUpgrades(self):
        """Any of the matchers."""
        ignores = self.http1(ignore_http_11_upgrade=[{"exact": "h2c"}, {"prefix": "x"}])
        self.assertEqual(
            [ignores.ignoresUpgrade(value) for value in ("h2c", "xyz", "websocket")],
            [True, True, False],
        )

    def test_unknownFormatter(self):
        """A formatter that nobody knows."""
        form = {
            "name": "x",
            "typed_config": {"@type": "type.googleapis.com/google.protobuf.Struct"},
        }
        self.assertRefused(
            self.text(http_protocol_options={"header_key_format": {"stateful_formatter": form}}),
            "Didn't find a registered implementation for 'x' with type URL: "
            "'google.protobuf.Struct'",
        )


class HTTP2Tests(OptionsTestCase):
    """Http2ProtocolOptions."""

    def test_none(self):
        """As for HTTP/1.1."""
        context = SimpleNamespace(runtime=SimpleNamespace(boolean=lambda key, default: default))
        self.assertEqual(readHTTP2Options(None, context), HTTP2Settings())
        self.assertTrue(readHTTP2Options(None, context, True).streamErrors)

    def test_referenceCodec(self):
        """A runtime key takes the h2 library, with options and without."""
        layer = {"name": "s", "static_layer": {"twisted_envoy.http2.reference_codec": True}}
        for options in ({}, {"http2_protocol_options": {}}):
            text = bootstrap(
                [],
                [cluster("c", "1.2.3.4:5", **options)],
                layered_runtime={"layers": [layer]},
            )
            made = MemoryEnvoy(text).server.clusters.get("c").http.settings
            self.assertTrue(made.http2.usesLibrary)

    def test_defaults(self):
        """Empty options are none."""
        self.assertEqual(self.http2(), HTTP2Settings(usesLibrary=REFERENCE_CODEC))

    def test_all(self):
        """Every field."""
        made = self.http2(
            hpack_table_size=1,
            max_concurrent_streams=2,
            initial_stream_window_size=65536,
            initial_connection_window_size=65537,
            allow_connect=True,
            max_outbound_frames=3,
            max_outbound_control_frames=4,
            max_consecutive_inbound_frames_with_empty_payload=5,
            max_inbound_priority_frames_per_stream=6,
            max_inbound_window_update_frames_per_data_frame_sent=7,
            override_stream_error_on_invalid_http_message=True,
            custom_settings_parameters=[{"identifier": 99, "value": 8}],
            connection_keepalive={
                "interval": "1s",
                "timeout": "2s",
                "interval_jitter": {"value": 50},
                "connection_idle_interval": "3s",
            },
            use_oghttp2_codec=True,
            enable_huffman_encoding=False,
            max_header_field_size_kb=64,
            disallow_obs_text=True,
            stream_reset_burst=9,
            stream_reset_rate=10,
        )
        self.assertEqual(
            made,
            HTTP2Settings(
                hpackTableSize=1,
                maxConcurrentStreams=2,
                initialStreamWindow=65536,
                initialConnectionWindow=65537,
                allowConnect=True,
                maxOutboundFrames=3,
                maxOutboundControlFrames=4,
                maxConsecutiveEmptyFrames=5,
                maxPriorityFramesPerStream=6,
                maxWindowUpdatesPerData=7,
                streamErrors=True,
                customSettings=((99, 8),),
                keepalive=Keepalive(2, 1, 0.5, 3),
                usesLibrary=REFERENCE_CODEC,
                resetBurst=9,
                resetRate=10,
                maxFieldBytes=64 * 1024,
                huffman=False,
                refusesObsText=True,
            ),
        )

    def test_keepalive(self):
        """The default jitter, and no interval."""
        made = self.http2(connection_keepalive={"timeout": "1s"}).keepalive
        self.assertEqual(made, Keepalive(1.0, None, 0.15, None))

    def test_streamErrors(self):
        """The older field counts unless it is overridden."""
        old = {"stream_error_on_invalid_http_messaging": True}
        self.assertTrue(self.http2(**old).streamErrors)
        made = self.http2(override_stream_error_on_invalid_http_message=False, **old)
        self.assertFalse(made.streamErrors)

    def test_customSettings(self):
        """Those that have a field take its place; the same twice is one."""
        made = self.http2(
            custom_settings_parameters=[
                {"identifier": 1, "value": 100},
                {"identifier": 3, "value": 101},
                {"identifier": 4, "value": 102},
                {"identifier": 2, "value": 0},
                {"identifier": 16, "value": 1},
                {"identifier": 16, "value": 1},
            ]
        )
        self.assertEqual(
            (made.hpackTableSize, made.maxConcurrentStreams, made.initialStreamWindow),
            (100, 101, 102),
        )
        self.assertEqual(made.customSettings, ((2, 0), (16, 1)))

    def test_refusedSettings(self):
        """What Envoy refuses, in its words."""
        for custom, fields, problem in (
            (
                [(16, 1), (16, 2)],
                {},
                "inconsistent HTTP/2 custom SETTINGS parameter(s) detected; identifiers = {0x10}",
            ),
            (
                [(1, 1), (4, 1)],
                {"hpack_table_size": 1, "initial_stream_window_size": 65535},
                "the {hpack_table_size,initial_stream_window_size} HTTP/2 SETTINGS parameter(s) "
                "can not be configured through both named and custom parameters",
            ),
            (
                [(2, 1)],
                {},
                "server push is not supported by Envoy and can not be enabled via a SETTINGS "
                "parameter.",
            ),
            (
                [(8, 1)],
                {},
                'the "allow_connect" SETTINGS parameter must only be configured through the '
                "named field",
            ),
        ):
            fields["custom_settings_parameters"] = [
                {"identifier": identifier, "value": value} for identifier, value in custom
            ]
            self.assertRefused(self.text(http2_protocol_options=fields), problem)

    def test_notObeyed(self):
        """METADATA frames are not implemented."""
        problem = self.refused(self.text(http2_protocol_options={"allow_metadata": True}))
        self.assertIsInstance(problem, UnsupportedField)
        self.assertIn("allow_metadata", str(problem))
