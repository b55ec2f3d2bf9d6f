"""Tests for twisted_envoy.http.routes.rate_limits."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import (
    Context,
    match,
    request,
    requestInfo,
    routes,
    tableOf,
    viewOfYAML,
)
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.http.routes.rate_limits import Descriptor, RateLimit, buildOwnRateLimits

HEADER = "{request_headers: {header_name: x-a, descriptor_key: a%s}}"
KEY = "{generic_key: {descriptor_value: v}}"


def own(*yamls: str) -> tuple[RateLimit, ...]:
    """Those of a filter; all that is set is read."""
    views = [viewOfYAML(yaml, "envoy.config.route.v3.RateLimit") for yaml in yamls]
    made = buildOwnRateLimits(views, Context())
    left = [field.path for view in views for field in unread(view)]
    if left:
        raise AssertionError(left)
    return made


def described(limit: RateLimit, **headers: str) -> Descriptor | None:
    """The descriptor of a request."""
    info = requestInfo()
    info.requestHeaders = asked = request(**headers)
    return limit.describe(asked, info)


class DescribeTests(SynchronousTestCase):
    def test_entries(self) -> None:
        """In order; one that gives none is left out, one that has to ends all."""
        (limit,) = own(f"actions: [{HEADER % ''}, {KEY}]")
        found = Descriptor((("a", b"1"), ("generic_key", b"v")), 1, False, None)
        self.assertEqual(described(limit, x_a="1"), found)
        self.assertIsNone(described(limit))
        (limit,) = own(f"actions: [{HEADER % ', skip_if_absent: true'}, {KEY}]")
        self.assertEqual(described(limit), Descriptor((("generic_key", b"v"),), 1, False, None))

    def test_hits(self) -> None:
        """How many, and whether they are given back; without a number there is no descriptor."""
        addend = "hits_addend: {format: '%REQ(x-n)%', is_negative_hits: true}"
        (limit,) = own(f"actions: [{KEY}]\n{addend}")
        self.assertEqual(
            described(limit, x_n="3"), Descriptor((("generic_key", b"v"),), 3, True, None)
        )
        self.assertIsNone(described(limit, x_n="x"))

    def test_tells(self) -> None:
        """As it says; a number without a name is no."""
        for option, tells in {
            "UNSPECIFIED": None,
            "'OFF'": False,
            "DRAFT_VERSION_03": True,
            "9": False,
        }.items():
            (limit,) = own(f"actions: [{KEY}]\nx_ratelimit_option: {option}")
            found = described(limit)
            assert found is not None
            self.assertIs(found.tellsLimit, tells)

    def test_streamDone(self) -> None:
        """Nobody asks then."""
        self.assertEqual(own(f"actions: [{KEY}]\napply_on_stream_done: true"), ())

    def test_onlyOfRoutes(self) -> None:
        """Envoy's words."""
        both = "'stage' field and 'disable_key' field are not supported"
        for yaml, problem in {
            "stage: 0": both,
            "disable_key: k": both,
            "limit: {rate_limit: {}}": "'limit' field is not supported",
        }.items():
            error = self.assertRaises(ConfigError, own, f"actions: [{KEY}]\n{yaml}")
            self.assertEqual(error.problem, problem)


class OfRoutesTests(SynchronousTestCase):
    def limitsOf(self, yaml: str, host: str = "") -> Any:
        """The entry of a route; all that is set is read."""
        yaml = f"{{match: {{prefix: /}}, route: {{cluster: a, {yaml}}}}}"
        return match(tableOf(routes(yaml, host=host)))

    def test_stages(self) -> None:
        """Those of one stage; what is disabled is in none."""
        limits = ", ".join(
            f"{{actions: [{KEY}], {fields}}}"
            for fields in ("stage: 0", "stage: 2", "", "disable_key: k")
        )
        entry = self.limitsOf(f"rate_limits: [{limits}]")
        self.assertEqual([len(entry.rateLimits.at(stage)) for stage in range(3)], [2, 0, 1])
        self.assertIsNone(entry.virtualHost.rateLimits)
        self.assertFalse(entry.includesHostRateLimits)

    def test_none(self) -> None:
        """None, or none that count: these are some all the same."""
        self.assertIsNone(self.limitsOf("").rateLimits)
        self.assertIsNone(self.limitsOf("rate_limits: []").rateLimits)
        disabled = self.limitsOf(f"rate_limits: [{{actions: [{KEY}], disable_key: k}}]")
        self.assertEqual(disabled.rateLimits.at(0), ())

    def test_ofHost(self) -> None:
        """Of the virtual host, and whether they count too."""
        host = f"rate_limits: [{{actions: [{KEY}]}}]"
        entry = self.limitsOf("include_vh_rate_limits: true", host)
        self.assertTrue(entry.includesHostRateLimits)
        self.assertEqual(len(entry.virtualHost.rateLimits.at(0)), 1)

    def test_onlyForServices(self) -> None:
        """What only a rate limit service is told changes nothing."""
        fields = (
            "hits_addend: {number: 3}, apply_on_stream_done: true, "
            "limit: {dynamic_metadata: {metadata_key: {key: a, path: [{key: b}]}}}"
        )
        entry = self.limitsOf(f"rate_limits: [{{actions: [{KEY}], {fields}}}]")
        (limit,) = entry.rateLimits.at(0)
        self.assertEqual(described(limit), Descriptor((("generic_key", b"v"),), 1, False, None))

    def test_error(self) -> None:
        """A wrong matcher."""
        headers = "headers: [{name: a, string_match: {safe_regex: {regex: '('}}}]"
        action = f"{{header_value_match: {{descriptor_value: v, {headers}}}}}"
        self.assertRaises(ConfigError, self.limitsOf, f"rate_limits: [{{actions: [{action}]}}]")
