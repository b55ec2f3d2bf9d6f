"""Tests for twisted_envoy.http.routes.mutations."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, request, requestInfo, viewOfYAML
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.mutations import buildMutations


def mutated(*yamls: str, **headers: str) -> HeaderMap:
    views = [
        viewOfYAML(yaml, "envoy.config.common.mutation_rules.v3.HeaderMutation") for yaml in yamls
    ]
    found = request(**headers)
    buildMutations(views, Context())(found, requestInfo())
    return found


class MutationTests(SynchronousTestCase):
    def test_inOrder(self) -> None:
        """Each sees what the ones before it made."""
        headers = mutated("{remove: X}", "{append: {header: {key: x, value: new}}}", x="old")
        self.assertEqual(headers.every(b"x"), [b"new"])
        headers = mutated("{append: {header: {key: x, value: new}}}", "{remove: x}", x="old")
        self.assertNotIn(b"x", headers)

    def test_removeOnMatch(self) -> None:
        """remove_on_match: by name, never a pseudo header."""
        headers = mutated("{remove_on_match: {key_matcher: {contains: a}}}", xa="1", b="2")
        self.assertNotIn(b"xa", headers)
        self.assertIn(b":authority", headers)
        self.assertIn(b"b", headers)
