"""Tests for twisted_envoy.http.routes.internal_redirect."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import action, requestInfo, wrongAction

ALLOW = (
    "{name: x, typed_config: {'@type': type.googleapis.com/envoy.extensions.internal_redirect."
    "allow_listed_routes.v3.AllowListedRoutesConfig, allowed_route_names: [good]}}"
)


class InternalRedirectTests(SynchronousTestCase):
    def test_policy(self) -> None:
        """internal_redirect_policy: its defaults, and what it can say."""
        self.assertIsNone(action("").internalRedirect)
        plain = action("internal_redirect_policy: {}").internalRedirect
        assert plain is not None
        self.assertEqual((plain.most, plain.codes), (1, frozenset((302,))))
        self.assertFalse(plain.allowCrossScheme)
        full = action(
            "internal_redirect_policy: {max_internal_redirects: 5, "
            "redirect_response_codes: [301, 307, 404], allow_cross_scheme_redirect: true, "
            f"response_headers_to_copy: [X-Copy], predicates: [{ALLOW}]}}"
        ).internalRedirect
        assert full is not None
        self.assertEqual((full.most, full.codes), (5, frozenset((301, 307))))
        self.assertTrue(full.allowCrossScheme)
        self.assertEqual(full.headersToCopy, (b"x-copy",))
        (allowed,) = full.predicates
        self.assertTrue(allowed(requestInfo(), "r", "good", False, False))
        self.assertFalse(allowed(requestInfo(), "r", "bad", False, False))

    def test_olderFields(self) -> None:
        """internal_redirect_action says it too, unless there is a policy."""
        handle = "internal_redirect_action: HANDLE_INTERNAL_REDIRECT"
        old = action(f"{handle}, max_internal_redirects: 3").internalRedirect
        assert old is not None
        self.assertEqual(old.most, 3)
        one = action(handle).internalRedirect
        assert one is not None
        self.assertEqual(one.most, 1)
        passing = "internal_redirect_action: PASS_THROUGH_INTERNAL_REDIRECT"
        self.assertIsNone(action(passing).internalRedirect)
        both = action(f"{handle}, internal_redirect_policy: {{max_internal_redirects: 2}}")
        assert both.internalRedirect is not None
        self.assertEqual(both.internalRedirect.most, 2)

    def test_errors(self) -> None:
        """Pseudo headers and the host are not copied."""
        for name in ("':path'", "host"):
            self.assertEqual(
                wrongAction(f"internal_redirect_policy: {{response_headers_to_copy: [{name}]}}"),
                ":-prefixed headers or Hosts may not be specified here.",
            )
