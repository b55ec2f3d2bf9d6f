"""The factory of previous_priorities, and a server that uses it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import addressOf, bootstrap, listener, typed
from tests.extensions.support import Context, configOf
from tests.upstream.health.memory import ILL, OK, HTTPOrigin
from twisted_envoy.extensions.retry.priority.previous_priorities import factories
from twisted_envoy.testing import MemoryEnvoy


class FactoryTests(SynchronousTestCase):
    def test_build(self) -> None:
        """One for each request."""
        (factory,) = factories
        make = factory.build(configOf(factory.typeURL, {"update_frequency": 1}), Context())
        self.assertIsNot(make([]), make([]))


class ServerTests(SynchronousTestCase):
    def attempts(self, frequency: int, *answers: bytes, **fields: Any) -> tuple[bytes, list[int]]:
        """The status of a request, and how many attempts each priority's one host has had."""
        kind = "retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
        policy = {
            "retry_on": "5xx",
            "num_retries": 3,
            "retry_priority": typed("p", kind, update_frequency=frequency),
        }
        action = {"cluster": "c", "retry_policy": policy}
        routes = [{"match": {"prefix": "/"}, "route": action}]
        http = typed(
            "http",
            "filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix="h",
            route_config={"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]},
            http_filters=[typed("router", "filters.http.router.v3.Router")],
        )
        groups = [
            {
                "priority": number,
                "lb_endpoints": [{"endpoint": {"address": addressOf(f"10.0.0.{number}:1")}}],
            }
            for number in range(len(answers))
        ]
        assignment = {"cluster_name": "c", "endpoints": groups}
        made = {"name": "c", "load_assignment": assignment, **fields}
        envoy = MemoryEnvoy(bootstrap([listener("l", "127.0.0.1:9000", http)], [made]))
        origins = [
            envoy.listen(f"10.0.0.{number}:1", HTTPOrigin(answer))
            for number, answer in enumerate(answers)
        ]
        client = envoy.connect("l")
        client.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        envoy.advance(1)
        counts = [sum(one.count(b"GET") for one in origin.received) for origin in origins]
        return client.received[9:12], counts

    def test_others(self) -> None:
        """As observed on Envoy: attempts go on to the next priority, and begin anew at the end."""
        for frequency, answers, status, counts in (
            (1, (ILL, OK, OK), b"200", [1, 1, 0]),
            (2, (ILL, OK, OK), b"200", [2, 1, 0]),
            (1, (ILL, ILL, OK), b"200", [1, 1, 1]),
            (2, (ILL, ILL, OK), b"503", [2, 2, 0]),
            (1, (ILL, ILL), b"503", [2, 2]),
        ):
            found = self.attempts(frequency, *answers)
            self.assertEqual(found, (status, counts), (frequency, counts))

    def test_inSubsets(self) -> None:
        """In the subsets of a cluster too."""
        subset = {"subset_selectors": [{"keys": ["k"]}], "fallback_policy": "ANY_ENDPOINT"}
        self.assertEqual(self.attempts(1, ILL, OK, lb_subset_config=subset), (b"200", [1, 1]))
