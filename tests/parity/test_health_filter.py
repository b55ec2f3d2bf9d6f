"""The health_check filter: who is answered, and how that is counted."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import cluster, typed
from tests.parity.exchanges import get
from tests.parity.managers import ManagerTestCase, direct, manager
from tests.parity.support import Side, served

NAMES = ("well", "passing", "nobody", "empty", "half", "failed")


def check(passes: bool = False, **fields: Any) -> dict[str, Any]:
    """The filter."""
    headers = [{"name": ":path", "string_match": {"prefix": "/hc"}}]
    kind = "filters.http.health_check.v3.HealthCheck"
    return typed("hc", kind, headers=headers, pass_through_mode=passes, **fields)


def share(**percentages: int) -> dict[str, Any]:
    """Clusters, and how well they must be."""
    shares = {name: {"value": value} for name, value in percentages.items()}
    return {"cluster_min_healthy_percentages": shares}


class HealthFilterTests(ManagerTestCase):
    """Each listener has its own filter."""

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        filters = {
            "well": check(),
            "passing": check(True, cache_time="60s"),
            "nobody": check(**share(origin=50, none=1)),
            "empty": check(**share(origin=50, empty=50)),
            "half": check(**share(origin=50, empty=0)),
            "failed": check(True),
        }
        return served(
            [manager(name, [direct()], [filters[name]]) for name in NAMES],
            [cluster("origin", "127.0.0.1:9"), cluster("empty")],
        )

    def test_answers(self) -> None:
        """One after the other; then the same when the server was made to fail."""

        def scenario(side: Side, name: str) -> object:
            said = []
            for path in ("/hc", "/hc", "/other"):
                said.append(self.talked(side, name, {"one": get(path)}))
            return said

        def failing(side: Side, name: str) -> object:
            side.program.admin("/healthcheck/fail", "POST")
            try:
                said = self.talked(side, name, {path: get(path) for path in ("/hc", "/other")})
            finally:
                side.program.admin("/healthcheck/ok", "POST")
            return {path: lines[:-1] for path, lines in said.items()}  # when it closes differs

        for name in NAMES:
            stats = rf"^http\.{name}\."
            others = rf"(?!downstream_({self.unlike}))"
            self.same(
                lambda side, name=name: scenario(side, name), stats + others, f"{name}.log", 3
            )
            if name in ("well", "failed"):
                counted = stats + r"(health_check|downstream_rq_\dxx|rq_)"
                self.same(lambda side, name=name: failing(side, name), counted, f"{name}.log", 5)
