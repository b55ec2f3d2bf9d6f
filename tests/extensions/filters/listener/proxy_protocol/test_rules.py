"""What becomes of extensions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.filters.listener.proxy_protocol.rules import (
    NAMESPACE,
    STATE,
    TLVRule,
    applyRules,
)
from twisted_envoy.state.stream_info import StreamInfo

RULES = {
    2: TLVRule(NAMESPACE, "name", False),
    3: TLVRule("other", "data", True),
}


class ApplyRulesTests(SynchronousTestCase):
    """As observed on Envoy 1.40."""

    def test_metadata(self) -> None:
        """By namespace and key; the first of a key stays."""
        info = StreamInfo(0.0)
        applyRules(RULES, [(2, b"one"), (2, b"two"), (3, b"b\xff6"), (4, b"x")], info, False)
        self.assertEqual(
            info.dynamicMetadata, {NAMESPACE: {"name": "one"}, "other": {"data": "Yv82"}}
        )

    def test_state(self) -> None:
        """One object with a field for each key; the last stays."""
        info = StreamInfo(0.0)
        applyRules(RULES, [(2, b"one"), (2, b'"two"'), (3, b"")], info, True)
        found = info.filterState.get(STATE)
        assert found is not None
        self.assertEqual(found.typed(), {"name": '"two"', "data": ""})
        self.assertEqual(found.plainText(), r'{"name":"\"two\"","data":""}')
        self.assertEqual([found.field("name"), found.field("none")], ['"two"', None])
        self.assertIsNone(found.hashKey())
        self.assertEqual(info.dynamicMetadata, {})

    def test_nothing(self) -> None:
        """No rule, no object."""
        info = StreamInfo(0.0)
        applyRules(RULES, [(9, b"x")], info, True)
        self.assertIsNone(info.filterState.get(STATE))

    def test_text(self) -> None:
        """Each byte that is no UTF-8 becomes an exclamation mark; zeros stay."""
        text = TLVRule("", "", False).textOf("h\u00e9".encode() + b"\xed\xa0\x80\xf0\x9f\0")
        self.assertEqual(text, "h\u00e9!!!!!\0")
