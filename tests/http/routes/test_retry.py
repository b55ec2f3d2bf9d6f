"""Tests for twisted_envoy.http.routes.retry."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import action, match, request, routes, tableOf, wrongAction
from twisted_envoy.http.routes.retry import RetrySettings


def policy(yaml: str) -> RetrySettings:
    found = action(f"retry_policy: {{{yaml}}}").retryPolicy
    assert found is not None
    return found


class RetryTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """What a policy says that says nothing."""
        found = policy("")
        self.assertEqual((found.on, found.numRetries), (frozenset(), 1))
        self.assertEqual((found.perTryTimeout, found.perTryIdleTimeout), (None, None))
        self.assertEqual((found.backOffBase, found.backOffMax), (None, None))
        self.assertEqual(found.hostSelectionAttempts, 1)
        self.assertIsNone(action("").retryPolicy)

    def test_conditions(self) -> None:
        """retry_on, retriable_status_codes, retriable_headers, retriable_request_headers."""
        found = policy(
            "retry_on: '5xx, reset,,nonsense', num_retries: 0, retriable_status_codes: [409], "
            "retriable_headers: [{name: x-retry}], retriable_request_headers: [{name: x-may}]"
        )
        self.assertEqual(found.on, frozenset(("5xx", "reset", "nonsense")))
        self.assertEqual(found.numRetries, 0)
        self.assertEqual(found.statusCodes, frozenset((409,)))
        self.assertTrue(found.headers[0](request(x_retry="")))
        self.assertTrue(found.requestHeaders[0](request(x_may="")))
        self.assertFalse(found.requestHeaders[0](request()))

    def test_times(self) -> None:
        """per_try_timeout, per_try_idle_timeout, retry_back_off, rate_limited_retry_back_off."""
        found = policy(
            "per_try_timeout: 2s, per_try_idle_timeout: 3s, "
            "retry_back_off: {base_interval: 0.0001s, max_interval: 1s}, "
            "rate_limited_retry_back_off: {reset_headers: [{name: Retry-After}, "
            "{name: x, format: UNIX_TIMESTAMP}], max_interval: 9s}"
        )
        self.assertEqual((found.perTryTimeout, found.perTryIdleTimeout), (2.0, 3.0))
        self.assertEqual((found.backOffBase, found.backOffMax), (0.001, 1.0))
        limited = found.rateLimitedBackOff
        assert limited is not None
        self.assertEqual(limited.headers, ((b"retry-after", False), (b"x", True)))
        self.assertEqual(limited.most, 9.0)
        other = policy("rate_limited_retry_back_off: {reset_headers: [{name: x}]}")
        assert other.rateLimitedBackOff is not None
        self.assertEqual(other.rateLimitedBackOff.most, 300.0)

    def test_hosts(self) -> None:
        """retry_host_predicate and host_selection_retry_max_attempts."""
        kind = "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
        found = policy(
            "host_selection_retry_max_attempts: 4, retry_host_predicate: [{name: p, typed_config: "
            f"{{'@type': type.googleapis.com/{kind}}}}}]"
        )
        self.assertEqual(found.hostSelectionAttempts, 4)
        host = SimpleNamespace()
        (rejects,) = found.hostPredicates
        self.assertTrue(rejects(host, [host]))
        self.assertFalse(rejects(host, []))

    def test_virtualHost(self) -> None:
        """The virtual host's policy serves routes without one."""
        yaml = routes(
            "{match: {prefix: /own}, route: {cluster: a, retry_policy: {retry_on: reset}}}",
            "{match: {prefix: /}, route: {cluster: a}}",
            host="retry_policy: {retry_on: 5xx}",
        )
        table = tableOf(yaml)
        for path, words in (("/own", "reset"), ("/", "5xx")):
            entry = match(table, path)
            assert entry is not None and entry.retryPolicy is not None
            self.assertEqual(entry.retryPolicy.on, frozenset((words,)))

    def test_errors(self) -> None:
        """The longest back-off is no less than the base."""
        self.assertEqual(
            wrongAction("retry_policy: {retry_back_off: {base_interval: 2s, max_interval: 1s}}"),
            "retry_policy.max_interval must greater than or equal to the base_interval",
        )
