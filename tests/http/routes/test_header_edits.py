"""Tests for twisted_envoy.http.routes.header_edits."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import edited, request, routes, tableOf, wrong
from twisted_envoy.codec.headers import HeaderMap


def adds(*headers: str) -> str:
    each = ", ".join(f"{{{header}}}" for header in headers)
    return f"{{match: {{prefix: /}}, route: {{cluster: a}}, request_headers_to_add: [{each}]}}"


class HeaderEditTests(SynchronousTestCase):
    def result(self, yaml: str, **headers: str) -> HeaderMap:
        return edited(tableOf(routes(yaml)), request(**headers))[0]

    def test_appendActions(self) -> None:
        """append_action: what happens to a header that is there, and to one that is not."""
        for action, there, missing in (
            ("APPEND_IF_EXISTS_OR_ADD", [b"old", b"new"], [b"new"]),
            ("ADD_IF_ABSENT", [b"old"], [b"new"]),
            ("OVERWRITE_IF_EXISTS_OR_ADD", [b"new"], [b"new"]),
            ("OVERWRITE_IF_EXISTS", [b"new"], []),
        ):
            for value in ("new", "n%%ew"):
                yaml = adds(f"header: {{key: X, value: {value}}}, append_action: {action}")
                made = [each.replace(b"%", b"") for each in self.result(yaml, x="old").every(b"x")]
                self.assertEqual(made, there, action)
                made = [each.replace(b"%", b"") for each in self.result(yaml).every(b"x")]
                self.assertEqual(made, missing, action)

    def test_append(self) -> None:
        """The old field append says the same of two of them."""
        header = "header: {key: x, value: new}"
        appended = self.result(adds(f"{header}, append: true"), x="old")
        replaced = self.result(adds(f"{header}, append: false"), x="old")
        self.assertEqual(appended.every(b"x"), [b"old", b"new"])
        self.assertEqual(replaced.every(b"x"), [b"new"])

    def test_emptyValues(self) -> None:
        """They are left out, unless keep_empty_value."""
        headers = self.result(
            adds(
                "header: {key: a}",
                "header: {key: b}, keep_empty_value: true",
                "header: {key: c, value: '%REQ(nope)%'}",
                "header: {key: d, value: '%REQ(nope)%'}, keep_empty_value: true",
            )
        )
        self.assertEqual(
            [name for name in (b"a", b"b", b"c", b"d") if name in headers], [b"b", b"d"]
        )

    def test_overwritesComeFirst(self) -> None:
        """Whatever the order of the config."""
        overwrite = "header: {key: x, value: two}, append_action: OVERWRITE_IF_EXISTS_OR_ADD"
        headers = self.result(adds("header: {key: x, value: one}", overwrite))
        self.assertEqual(headers.every(b"x"), [b"two", b"one"])

    def test_formats(self) -> None:
        """Values are formats; raw_value stands in for value."""
        headers = self.result(
            adds(
                "header: {key: a, value: '%REQ(x)%-100%%'}",
                "header: {key: b, raw_value: cmF3}",
                "header: {key: c, value: v, raw_value: cmF3}",
            ),
            x="in",
        )
        self.assertEqual([headers[name] for name in (b"a", b"b", b"c")], [b"in-100%", b"raw", b"v"])

    def test_removed(self) -> None:
        """headers_to_remove come before what is added."""
        yaml = adds("header: {key: x, value: new}")[:-1] + ", request_headers_to_remove: [X, z]}"
        headers = self.result(yaml, x="old", z="old")
        self.assertEqual(headers.every(b"x"), [b"new"])
        self.assertNotIn(b"z", headers)

    def test_errors(self) -> None:
        """Some headers may not be touched; formats have to be right."""
        modified = ":-prefixed or host headers may not be modified"
        self.assertEqual(wrong(adds("header: {key: Host, value: a}")), modified)
        self.assertEqual(wrong(adds("header: {key: ':path', value: a}")), modified)
        removed = "{match: {prefix: /}, route: {cluster: a}, response_headers_to_remove: [%s]}"
        for name in ("HOST", "':status'"):
            self.assertEqual(wrong(removed % name), ":-prefixed or host headers may not be removed")
        both = "header: {key: x, value: a}, append: true, append_action: ADD_IF_ABSENT"
        self.assertEqual(
            wrong(adds(both)), "Both append and append_action are set and it's not allowed"
        )
        self.assertEqual(
            wrong(adds("header: {key: x, value: '%NOPE%'}")),
            "Not supported field in StreamInfo: NOPE",
        )
