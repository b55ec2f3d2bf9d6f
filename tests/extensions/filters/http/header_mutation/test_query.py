"""Edits of the query; errors are real Envoy's."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from tests.formatter.records import requestRecord
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.http.header_mutation.query import buildQueryEdit, parseQuery

TYPE = "envoy.extensions.filters.http.header_mutation.v3.Mutations"


class QueryTests(SynchronousTestCase):
    def edited(self, path: bytes | None, *changes: dict[str, Any]) -> bytes | None:
        config = configOf(TYPE, {"query_parameter_mutations": list(changes)})
        edit = buildQueryEdit(config.query_parameter_mutations, Context())
        self.assertEqual(unreadFields(config), [])
        info = requestRecord(path or b"").streamInfo
        if path is None:
            info.requestHeaders.remove(b":path")
        assert edit is not None
        edit(info.requestHeaders, info)
        found: bytes | None = info.requestHeaders.get(b":path")
        return found

    def test_actions(self) -> None:
        """Each with a parameter that is there and one that is not."""
        for action, there, missing in (
            ("APPEND_IF_EXISTS_OR_ADD", b"/?a=1&a=2&a=v", b"/?a=v"),
            ("ADD_IF_ABSENT", b"/?a=1&a=2", b"/?a=v"),
            ("OVERWRITE_IF_EXISTS_OR_ADD", b"/?a=v", b"/?a=v"),
            ("OVERWRITE_IF_EXISTS", b"/?a=v", b"/"),
        ):
            change = {"append": {"record": {"key": "a", "value": "v"}, "action": action}}
            self.assertEqual(self.edited(b"/?a=1&a=2", change), there, action)
            self.assertEqual(self.edited(b"/", change), missing, action)

    def test_noPath(self) -> None:
        """A plain CONNECT has none to edit."""
        self.assertIsNone(self.edited(None, {"remove": "a"}))

    def test_parse(self) -> None:
        """Decoded; a name may have many values, or none."""
        self.assertEqual(
            parseQuery(b"a=%41&b&a=2&=c&%61=%zz"),
            {b"a": [b"A", b"2", b"%zz"], b"b": [b""], b"": [b"c"]},
        )
        self.assertEqual(parseQuery(b""), {})

    def test_nothing(self) -> None:
        """No edits, no function."""
        self.assertIsNone(buildQueryEdit((), Context()))

    def test_errors(self) -> None:
        """Envoy's words."""
        record = {"record": {"key": "a", "value": "b"}}
        for change, problem in (
            ({"append": record, "remove": "c"}, "Only one of 'append'/'remove can be specified."),
            ({}, "One of 'append'/'remove' must be specified."),
            ({"append": {}}, "No record specified for append mutation."),
            (
                {"append": {"record": {"key": "a", "value": 5}}},
                "Only string value is allowed for record value.",
            ),
            (
                {"append": {"record": {"key": "a", "value": "%NO%"}}},
                "Not supported field in StreamInfo: NO",
            ),
        ):
            error = self.assertRaises(ConfigError, self.edited, b"/", change)
            self.assertEqual(error.problem, problem)
