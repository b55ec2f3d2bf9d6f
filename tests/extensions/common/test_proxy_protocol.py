"""What configs say about headers of the PROXY protocol."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.proxy_protocol import (
    readAddedTLVs,
    readPassThrough,
    valuesOf,
)
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

CONFIG = "envoy.config.core.v3.ProxyProtocolConfig"


class ReadTests(SynchronousTestCase):
    """A ProxyProtocolConfig."""

    def test_passThrough(self) -> None:
        """None, all, or some types."""
        for given, expected in (
            (None, [False, False]),
            ({}, [True, True]),
            ({"match_type": "INCLUDE", "tlv_type": [2]}, [True, False]),
        ):
            config = configOf(CONFIG, {"pass_through_tlvs": given} if given is not None else {})
            passes = readPassThrough(config.pass_through_tlvs)
            self.assertEqual([passes(2), passes(3)], expected)
            self.assertEqual(unreadFields(config), [])

    def test_added(self) -> None:
        """Values, and formats of the connection."""
        format = {"text_format_source": {"inline_string": "%START_TIME(%s)%"}}
        config = configOf(
            CONFIG,
            {"added_tlvs": [{"type": 1, "value": "aGk="}, {"type": 2, "format_string": format}]},
        )
        added = readAddedTLVs(config.added_tlvs, None)
        context = FormatContext(StreamInfo(77.0))
        self.assertEqual(valuesOf(added, context), ((1, b"hi"), (2, b"77")))
        self.assertEqual(unreadFields(config.added_tlvs[0]), [])

    def test_refused(self) -> None:
        """Neither or both, in Envoy's words."""
        format = {"text_format_source": {"inline_string": "x"}}
        for given, text in (
            ({"type": 1}, "one of 'value' or 'format_string' must be set."),
            ({"value": "aGk=", "format_string": format}, "only one of 'value' or 'format_string'"),
        ):
            config = configOf(CONFIG, {"added_tlvs": [given]})
            problem = self.assertRaises(ConfigError, readAddedTLVs, config.added_tlvs, None)
            self.assertIn(f"Invalid TLV configuration: {text}", str(problem))
