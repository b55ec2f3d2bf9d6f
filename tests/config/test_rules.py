"""Tests of twisted_envoy.config.rules."""

from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import TCP_PROXY, decode, load, outcome, view
from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.config.rules import camel
from twisted_envoy.errors import ConfigError

CLUSTER = "envoy.config.cluster.v3.Cluster"


def cluster(fields: str) -> str:
    return f"static_resources: {{clusters: [{{name: c, {fields}}}]}}"


class ChainTests(SynchronousTestCase):
    """The chain of messages around what is wrong."""

    def test_wholeChain(self) -> None:
        """Each message on the way is named, with its index."""
        text = "static_resources:\n  clusters:\n  - name: a\n  - name: ''\n"
        self.assertEqual(
            outcome(text),
            "t.yaml:4:5: static_resources.clusters[1].name: Proto constraint validation failed "
            "(BootstrapValidationError.StaticResources: embedded message failed validation | "
            "caused by StaticResourcesValidationError.Clusters[1]: embedded message failed "
            "validation | caused by ClusterValidationError.Name: value length must be at least 1 "
            "characters)",
        )

    def test_oneofs(self) -> None:
        """A missing oneof has no name of a message."""
        found = outcome("admin: {address: {}}")
        self.assertIn("t.yaml:1:18: admin.address: ", found)
        self.assertIn('caused by field: "address", reason: is required)', found)

    def test_oneofsComeLast(self) -> None:
        """The fields of a message are checked before its oneofs, in order of declaration."""
        error = self.assertRaises(ConfigError, decode, "{}", TCP_PROXY)
        self.assertIn("TcpProxyValidationError.StatPrefix", str(error))
        error = self.assertRaises(ConfigError, decode, "stat_prefix: x", TCP_PROXY)
        self.assertIn('(field: "cluster_specifier", reason: is required)', str(error))

    def test_mapsAndTheirKeys(self) -> None:
        """A map's key is in brackets; messages in maps are checked too."""
        found = outcome(cluster("metadata: {filter_metadata: {'': {}}}"))
        self.assertIn("MetadataValidationError.FilterMetadata[]: value length", found)
        error = self.assertRaises(
            ConfigError,
            decode,
            "certificate_provider_instances: {a: {name: ''}}",
        )
        self.assertIn("CertificateProviderInstances[a]: embedded", str(error))

    def test_listsAndTheirElements(self) -> None:
        """The number of elements, each element, and equal ones."""
        route = "envoy.config.route.v3.VirtualHost"
        for text, words in (
            ("{name: a}", "Domains: value must contain at least 1 item(s)"),
            ("{name: a, domains: ['a\\nb']}".replace("'", '"'), "Domains[0]: value does not match"),
        ):
            error = self.assertRaises(ConfigError, decode, text, route)
            self.assertIn(words, str(error))
        policy = "envoy.config.route.v3.InternalRedirectPolicy"
        error = self.assertRaises(
            ConfigError, decode, "response_headers_to_copy: [a, b, a]", policy
        )
        self.assertIn("ResponseHeadersToCopy[2]: repeated value must contain unique", str(error))

    def test_anysAreCheckedWhenOpened(self) -> None:
        """The content of an Any is nobody's business before that; then its chain starts anew."""
        read = view(
            f"name: x\ntyped_config: {{'@type': {TCP_PROXY}, cluster: c}}",
            "envoy.config.core.v3.TypedExtensionConfig",
        )
        error = self.assertRaises(ConfigError, read.typed_config.open)
        self.assertEqual(
            str(error),
            "t.yaml:2:15: typed_config.stat_prefix: Proto constraint validation failed "
            "(TcpProxyValidationError.StatPrefix: value length must be at least 1 characters)",
        )

    def test_camel(self) -> None:
        """Names as generated code has them."""
        self.assertEqual(camel("stat_prefix"), "StatPrefix")
        self.assertEqual(camel("http2_protocol_options"), "Http2ProtocolOptions")


class OrderTests(SynchronousTestCase):
    """What Envoy looks at first."""

    def test_durationsComeBeforeRules(self) -> None:
        """A negative duration anywhere is found before a broken rule."""
        found = outcome(cluster("connect_timeout: 0s, cleanup_interval: -5s"))
        self.assertEqual(
            found,
            "t.yaml:1:62: static_resources.clusters[0].cleanup_interval: "
            "Invalid duration: Expected positive duration: seconds: -5",
        )

    def test_durationsInAnys(self) -> None:
        """Those inside of an Any are found when it is opened."""
        read = view(
            f"name: x\ntyped_config: {{'@type': {TCP_PROXY}, idle_timeout: -5s}}",
            "envoy.config.core.v3.TypedExtensionConfig",
        )
        error = self.assertRaises(ConfigError, read.typed_config.open)
        self.assertIn("Invalid duration", str(error))


class DeprecationTests(SynchronousTestCase):
    """Deprecated fields and enum values."""

    def test_warning(self) -> None:
        """A deprecated field is a warning with its place."""
        _, warnings = loadBootstrap(yamlText=cluster("http2_protocol_options: {}"))
        self.assertEqual(len(warnings), 1)
        self.assertTrue(
            str(warnings[0]).startswith(
                "--config-yaml:1:41: static_resources.clusters[0].http2_protocol_options: "
                f"Deprecated field: type {CLUSTER} Using deprecated option "
                f"'{CLUSTER}.http2_protocol_options' from file cluster.proto."
            )
        )

    def test_refusedInExtensionsOnly(self) -> None:
        """What is deprecated for good is refused, but not in the bootstrap itself."""
        action = "{actions: [{dynamic_metadata: {descriptor_key: a, metadata_key: "
        action += "{key: k, path: [{key: p}]}}}]}"
        error = self.assertRaises(ConfigError, decode, action, "envoy.config.route.v3.RateLimit")
        self.assertIn("Using deprecated option 'envoy.config.route.v3.RateLimit.Action", str(error))
        load("dynamic_resources: {lds_config: {api_config_source: {}}}")

    def test_oldEnumValues(self) -> None:
        """A deprecated value is refused or warned of, also when it is only the default."""
        source = "envoy.config.core.v3.ApiConfigSource"
        error = self.assertRaises(ConfigError, decode, "{}", source)
        self.assertIn("Using the default now-deprecated value DEPRECATED_AND", str(error))
        self.assertIn("so a non-default value must now be explicitly set. Please", str(error))
        _, warnings = loadBootstrap(
            yamlText="dynamic_resources: {lds_config: {ads: {}, resource_api_version: V2}}"
        )
        self.assertIn("Using deprecated value V2 for enum", str(warnings[0]))


class SkippingTests(SynchronousTestCase):
    """What is not checked."""

    def test_typesWithoutRules(self) -> None:
        """A type without rules in or below it costs nothing."""
        self.assertEqual(decode("{}", "envoy.config.core.v3.Locality").plan.checks, ())

    def test_skippedMessages(self) -> None:
        """A field may be exempted from the rules of its message."""
        decode(
            "{entry: {key: '', value: ''}, record: {key: k, value: v}, action: "
            "APPEND_IF_EXISTS_OR_ADD}",
            "envoy.config.core.v3.KeyValueAppend",
        )
