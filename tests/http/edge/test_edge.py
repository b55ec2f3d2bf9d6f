"""Tests for twisted_envoy.http.edge.edge."""

from __future__ import annotations

from twisted.internet.address import UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import unreadFields
from tests.http.edge.support import EdgeContext, Sent, makeEdge, managerConfig, requestOf
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.edge import Edge
from twisted_envoy.http.edge.edge import _readInternal

XFF_TYPE = "type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig"
UUID_TYPE = "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"
OBEYED = {
    "forward_client_cert_details": "SANITIZE_SET",
    "set_current_client_cert_details": {"uri": True, "format": "TEXT"},
    "use_remote_address": False,
    "xff_num_trusted_hops": 1,
    "internal_address_config": {
        "unix_sockets": True,
        "cidr_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}],
    },
    "skip_xff_append": True,
    "via": "v",
    "generate_request_id": True,
    "preserve_external_request_id": True,
    "always_set_request_id_in_response": True,
    "represent_ipv4_remote_address_as_ipv4_mapped_ipv6": True,
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "REJECT_REQUEST",
    "strip_matching_host_port": True,
    "strip_trailing_host_dot": True,
    "server_name": "s",
    "server_header_transformation": "PASS_THROUGH",
    "scheme_header_transformation": {"scheme_to_overwrite": "http"},
    "add_user_agent": True,
    "append_x_forwarded_port": True,
    "add_proxy_protocol_connection_state": False,
    "forward_proto_config": {"http_destination_ports": [1], "https_destination_ports": [2]},
    "proxy_status_config": {
        "remove_details": True,
        "remove_connection_termination_details": True,
        "remove_response_flags": True,
        "set_recommended_response_code": True,
        "use_node_id": True,
    },
    "request_id_extension": {"typed_config": {"@type": UUID_TYPE, "pack_trace_reason": False}},
}
NOT_OBEYED = {
    "append_local_overload": True,
    "path_normalization_options": {},
}


class ReadingTests(SynchronousTestCase):
    """Which fields are read."""

    def test_obeyed(self) -> None:
        """These, with all that is in them."""
        config = managerConfig(**OBEYED)

        Edge(config, EdgeContext())

        self.assertEqual(unreadFields(config), ["stat_prefix", "route_config"])

    def test_notObeyed(self) -> None:
        """These are left to be reported."""
        config = managerConfig(**NOT_OBEYED)

        Edge(config, EdgeContext())

        left = unreadFields(config)
        for name in NOT_OBEYED:
            self.assertTrue(any(path.startswith(name) for path in left), (name, left))

    def test_matchUpstream(self) -> None:
        """Not obeyed either."""
        config = managerConfig(scheme_header_transformation={"match_upstream": True})

        Edge(config, EdgeContext())

        self.assertIn("scheme_header_transformation.match_upstream", unreadFields(config))


class MistakeTests(SynchronousTestCase):
    """What Envoy refuses, in its words."""

    def test_table(self) -> None:
        """Fields that may not be mixed."""
        extensions = [{"name": "x", "typed_config": {"@type": XFF_TYPE}}]
        detection = {"original_ip_detection_extensions": extensions}
        for fields, text in (
            (
                {"strip_matching_host_port": True, "strip_any_host_port": True},
                "Only one of `strip_matching_host_port` or `strip_any_host_port` can be set.",
            ),
            (
                {"use_remote_address": True, **detection},
                "Original IP detection extensions and use_remote_address may not be mixed",
            ),
            (
                {"xff_num_trusted_hops": 1, **detection},
                "Original IP detection extensions and xff_num_trusted_hops may not be mixed",
            ),
        ):
            error = self.assertRaises(ConfigError, makeEdge, **fields)
            self.assertIn(text, str(error))


class ExtensionTests(SynchronousTestCase):
    """Extensions take part."""

    def test_detection(self) -> None:
        """Found by their types, asked in turn."""
        custom = (
            "type.googleapis.com/"
            "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig"
        )
        edge = makeEdge(
            original_ip_detection_extensions=[
                {"name": "c", "typed_config": {"@type": custom, "header_name": "X-Real"}},
                {
                    "name": "x",
                    "typed_config": {"@type": XFF_TYPE, "skip_xff_append": False},
                },
            ]
        )
        found = Sent(edge, requestOf((b"x-real", b"9.9.9.9"), (b"x-forwarded-for", b"1.1.1.1")))
        missed = Sent(edge, requestOf((b"x-forwarded-for", b"1.1.1.1")), "127.0.0.3")

        self.assertEqual(found.info.remoteAddress.host, "9.9.9.9")
        self.assertEqual(found.value(b"x-forwarded-for"), b"1.1.1.1")
        self.assertEqual(missed.info.remoteAddress.host, "1.1.1.1")
        self.assertEqual(missed.value(b"x-forwarded-for"), b"1.1.1.1,127.0.0.3")

    def test_nobodyFound(self) -> None:
        """Our peer joins x-forwarded-for for each that wants it; the next finds it, as in Envoy."""
        extension = {"name": "x", "typed_config": {"@type": XFF_TYPE, "skip_xff_append": False}}
        edge = makeEdge(original_ip_detection_extensions=[extension, extension])

        sent = Sent(edge, requestOf((b"x-forwarded-for", b"junk")), "10.0.0.1")

        self.assertEqual(sent.info.remoteAddress.host, "10.0.0.1")
        self.assertEqual(sent.value(b"x-forwarded-for"), b"junk,10.0.0.1,10.0.0.1")

    def test_refused(self) -> None:
        """A detector may refuse a request."""
        custom = (
            "type.googleapis.com/"
            "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig"
        )
        config = {"@type": custom, "header_name": "a", "reject_with_status": {"code": 401}}
        edge = makeEdge(original_ip_detection_extensions=[{"name": "c", "typed_config": config}])

        refusal = Sent(edge, requestOf()).refusal

        assert refusal is not None
        self.assertEqual(
            (refusal.status, refusal.details, refusal.counter),
            (
                401,
                "rejecting_because_detection_failed",
                "downstream_rq_rejected_via_ip_detection",
            ),
        )

    def test_earlyMutation(self) -> None:
        """Edits come before everything else."""
        kind = (
            "type.googleapis.com/"
            "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
        )
        mutation = {"append": {"header": {"key": "x-forwarded-for", "value": "5.5.5.5"}}}
        edge = makeEdge(
            early_header_mutation_extensions=[
                {"name": "m", "typed_config": {"@type": kind, "mutations": [mutation]}}
            ]
        )

        self.assertEqual(Sent(edge, requestOf()).info.remoteAddress.host, "5.5.5.5")


class InternalTests(SynchronousTestCase):
    """internal_address_config."""

    def test_unixSockets(self) -> None:
        """Only when it says so."""
        for fields, expected in (({"unix_sockets": True}, True), ({}, False)):
            config = managerConfig(internal_address_config=fields)
            isInternal = _readInternal(config.internal_address_config)
            assert isInternal is not None
            self.assertIs(isInternal(UNIXAddress("/x")), expected)
