"""The preserve_case formatter."""

from __future__ import annotations

from tests.bootstraps import bootstrap, cluster
from tests.server.refusing import RefusalTestCase
from twisted_envoy.errors import UnsupportedField
from twisted_envoy.testing import MemoryEnvoy

KIND = (
    "type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3."
    "PreserveCaseFormatterConfig"
)


class PreserveCaseTests(RefusalTestCase):
    """From the config to the codec's settings."""

    def text(self, **fields):
        form = {"name": "preserve_case", "typed_config": {"@type": KIND, **fields}}
        options = {"header_key_format": {"stateful_formatter": form}}
        return bootstrap([], [cluster("c", "1.2.3.4:5", http_protocol_options=options)])

    def test_built(self):
        """With the reason phrase, or without."""
        for fields, phrase in (
            ({}, False),
            ({"forward_reason_phrase": True, "formatter_type_on_envoy_headers": "DEFAULT"}, True),
        ):
            made = MemoryEnvoy(self.text(**fields)).server.clusters.get("c").http.settings.http1
            self.assertEqual((made.headerCase, made.preserveReasonPhrase), ("preserve", phrase))

    def test_notObeyed(self):
        """Another formatter for Envoy's own headers."""
        problem = self.refused(self.text(formatter_type_on_envoy_headers="PROPER_CASE"))
        self.assertIsInstance(problem, UnsupportedField)
