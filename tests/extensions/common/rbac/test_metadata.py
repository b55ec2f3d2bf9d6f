"""Rules about metadata; what they answer is what real Envoy answered."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.rbac.support import permits, requestOf, speaks


def asking(value: dict[str, Any], *path: str, **fields: Any) -> dict[str, Any]:
    return {"filter": "f", "path": [{"key": key} for key in path], "value": value, **fields}


PRESENT, ABSENT, NULL = {"present_match": True}, {"present_match": False}, {"null_match": {}}


class MetadataTests(SynchronousTestCase):
    def test_dynamic(self) -> None:
        """By either field; what is not there matches only inverted."""
        info = requestOf()
        info.dynamicMetadata["f"] = {"k": "v", "n": None, "o": {"i": 3}}
        text = {"string_match": {"exact": "v"}}
        for matcher, good in (
            (asking(text, "k"), True),
            (asking(text, "k", invert=True), False),
            (asking(text, "z"), False),
            (asking(text, "z", invert=True), True),
            (asking({"double_match": {"exact": 3}}, "o", "i"), True),
            (asking(NULL, "n"), True),
            (asking(NULL, "z"), False),
            (asking(PRESENT, "k"), True),
            (asking(PRESENT, "n"), True),
            (asking(PRESENT, "z"), False),
            (asking(ABSENT, "k"), False),
            (asking(ABSENT, "z"), False),
            (asking(ABSENT, "z", invert=True), True),
        ):
            self.assertIs(permits({"metadata": matcher}, info), good)
            self.assertIs(speaks({"metadata": matcher}, info), good)
            sourced = {"sourced_metadata": {"metadata_matcher": matcher}}
            self.assertIs(permits(sourced, info), good)

    def test_ofRoutes(self) -> None:
        """Nothing matches without a route."""

        class Route:
            metadata = {"f": {"k": "v"}}

        info = requestOf()
        rules = [
            {
                "sourced_metadata": {
                    "metadata_source": "ROUTE",
                    "metadata_matcher": asking(
                        {"string_match": {"exact": "v"}}, "k", invert=invert
                    ),
                }
            }
            for invert in (False, True)
        ]
        self.assertEqual([permits(rule, info) for rule in rules], [False, False])
        info.route = Route()
        self.assertEqual([permits(rule, info) for rule in rules], [True, False])
        Route.metadata = {}
        self.assertEqual([permits(rule, info) for rule in rules], [False, True])
