"""The health of hosts: what checks ask and find, what requests find, and who gets requests then."""

from __future__ import annotations

import json
from collections import Counter
from threading import Lock
from typing import Any, ClassVar

from tests.bootstraps import addressOf, cluster
from tests.parity.exchanges import get
from tests.parity.managers import ManagerTestCase, host, http2, manager, route
from tests.parity.peers import Peer, Served
from tests.parity.programs import until
from tests.parity.support import ADMIN, Side, scrubbed
from tests.parity.support import bootstrap as plainBootstrap

ONCE = {
    "timeout": "5s",
    "interval": "60s",
    "no_traffic_interval": "60s",
    "unhealthy_threshold": 2,
    "healthy_threshold": 2,
    "event_log_path": "once.log",
}
OFTEN = {
    **ONCE,
    "timeout": "0.5s",
    "interval": "0.02s",
    "no_traffic_interval": "0.02s",
    "reuse_connection": False,
    "event_log_path": "often.log",
    "always_log_health_check_failures": True,
}


def says(status: int, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status} X", *headers, f"content-length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


class Says:
    """An origin that says these, one after the other, the last for ever; "" closes, None hangs."""

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = answers
        self._counts: Counter[int] = Counter()
        self._lock = Lock()

    def __call__(self, peer: Peer) -> object:
        heard = b""
        while more := peer.some():
            heard += more
            with self._lock:
                at = self._counts[peer.port]
                self._counts[peer.port] += 1
            answer = self._answers[min(at, len(self._answers) - 1)]
            if answer == b"":
                break
            if answer is not None:
                peer.send(answer)
        return heard.decode("latin-1")


WELL, ILL = says(200), says(503)
IMMEDIATE = says(503, "x-envoy-immediate-health-check-fail: true")
CHANGES = (
    *(WELL, ILL, WELL, WELL, says(200, "x-envoy-degraded: 1"), WELL),
    *(says(502), WELL, says(502), says(502), WELL, WELL),
    *(IMMEDIATE, WELL, WELL, b"", WELL, b"", b"nonsense\r\n\r\n", WELL, WELL, None, None, ILL),
)
"""502 is retriable."""


def web(**fields: Any) -> dict[str, Any]:
    """A check by HTTP."""
    return {"http_health_check": {"path": "/", **fields}}


def ranges(start: int, end: int) -> list[dict[str, int]]:
    return [{"start": start, "end": end}]


LETTER = [{"text": "6f"}]
SOON = {"timeout": "0.1s"}
PING = {"send": {"text": "50494E47"}, "receive": [{"text": "504F"}]}
CHECKS: dict[str, tuple[str, dict[str, Any]]] = {
    "well": ("well", web(path="/hz")),
    "named": ("well", web(path="/named", host="a.b")),
    "body": (
        "text",
        web(method="POST", send={"text": "6162"}, receive=[*LETTER, {"binary": "eg=="}]),
    ),
    "small": ("text", web(response_buffer_size=1, receive=LETTER)),
    "whole": ("text", web(response_buffer_size=0, receive=LETTER)),
    "wanted": ("ill", web(expected_statuses=ranges(503, 504))),
    "service": ("service", web(service_name_matcher={"prefix": "s"})),
    "other": ("service", web(service_name_matcher={"prefix": "t"})),
    "ill": ("ill", web()),
    "degraded": ("degraded", web()),
    "immediate": ("immediate", web()),
    "garbage": ("garbage", web()),
    "silent": ("silent", {**SOON, **web()}),
    "refused": ("refusing", web()),
    "connects": ("silent", {"tcp_health_check": {}}),
    "pings": ("pong", {"tcp_health_check": PING}),
    "deaf": ("silent", {**SOON, "tcp_health_check": {"receive": [{"text": "00"}]}}),
    "nowhere": ("refusing", {"tcp_health_check": {}}),
    "grpc": ("silent", {**SOON, "grpc_health_check": {"service_name": "s"}}),
}
"""Cluster -> whom it asks, and how."""


class HealthTests(ManagerTestCase):
    """One check of each host, and one host that changes its mind."""

    origins: ClassVar[dict[str, Served | None]] = {
        "well": Says(WELL),
        "ill": Says(ILL),
        "text": Says(says(200, body="xoyz")),
        "service": Says(says(200, "x-envoy-upstream-healthchecked-cluster: s1")),
        "degraded": Says(says(200, "x-envoy-degraded: 1")),
        "immediate": Says(IMMEDIATE),
        "garbage": Says(b"garbage\r\n\r\n"),
        "silent": Says(None),
        "pong": Says(b"PONG"),
        "refusing": None,
        "changing": Says(*CHANGES),
        "leaving": Says(WELL, IMMEDIATE),
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        def at(name: str) -> str:
            return f"127.0.0.1:{ports[name]}"

        clusters = [
            cluster(
                name,
                at(origin),
                health_checks=[{**ONCE, **check}],
                **(http2() if name == "grpc" else {}),
            )
            for name, (origin, check) in CHECKS.items()
        ]
        retriable = [{"start": 502, "end": 503}]
        often = {**OFTEN, "http_health_check": {"path": "/", "retriable_statuses": retriable}}
        clusters.append(cluster("changing", at("changing"), health_checks=[often]))
        leaving = {**ONCE, "http_health_check": {"path": "/"}}
        clusters.append(cluster("leaving", at("leaving"), health_checks=[leaving]))
        names = ["well", "ill", "refused", "degraded", "immediate", "leaving"]
        hosts = [host(name, name, routes=[route(name)]) for name in names]
        return plainBootstrap(
            [manager("http", config={"virtual_hosts": hosts})], clusters, admin=ADMIN
        )

    def test_flags(self) -> None:
        """/clusters, and the counters of one check each."""

        def flags(side: Side) -> Any:
            until(lambda: _settled(side))
            return sorted(
                line
                for line in scrubbed(side.program.admin("/clusters")).splitlines()
                if "::health_flags::" in line and not line.startswith(("changing", "leaving"))
            )

        found = self.same(flags, r"^cluster\.(?!changing|leaving)\w+\.(health_check|membership)")
        self.assertEqual(len(found), len(CHECKS))

    def test_json(self) -> None:
        """/clusters as JSON."""

        def statuses(side: Side) -> Any:
            until(lambda: _settled(side))
            page = json.loads(side.program.admin("/clusters?format=json"))
            return {
                one["name"]: one["host_statuses"][0]["health_status"]
                for one in page["cluster_statuses"]
                if one["name"] in CHECKS
            }

        self.assertEqual(len(self.same(statuses)), len(CHECKS))

    def test_firstEvents(self) -> None:
        """The event log of first results."""

        def events(side: Side) -> Any:
            lines = side.program.lines("once.log", len(CHECKS) + 2)
            return sorted(_event(line) for line in lines if '"leaving"' not in line)

        self.assertEqual(len(self.same(events)), len(CHECKS) + 1)  # degraded has two

    def test_changes(self) -> None:
        """Ups and downs, event by event, and what is left in the end."""

        def events(side: Side) -> Any:
            lines = side.program.lines("often.log", 24)[:24]
            flags = until(lambda: _flags(side, "changing", "/failed_active_hc"))
            return [_event(line) for line in lines], flags

        found, _ = self.same(events)
        self.assertIn("no_longer_degraded_host", "".join(found))

    def test_leaving(self) -> None:
        """A response to a request may say that the host goes."""

        def leave(side: Side) -> Any:
            until(lambda: _flags(side, "leaving", "healthy"))
            answers = [self.talked(side, "http", {"leaving": [get("/", "Host: leaving")]})]
            return answers, until(
                lambda: _flags(side, "leaving", "/failed_active_hc/excluded_via_immediate_hc_fail")
            )

        self.same(leave, r"^cluster\.leaving\.(health_check|membership)")

    def test_panic(self) -> None:
        """Without a healthy host every host is used, which is counted."""
        self.compared(
            "http",
            {name: [get("/", f"Host: {name}")] for name in ("well", "ill", "refused", "degraded")},
            lines=0,
            stats=r"^cluster\.(well|ill|refused|degraded)\.(lb_healthy_panic|upstream_cx_none)",
        )


STATUSES = ("UNKNOWN", "HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED")


class OutlierTests(ManagerTestCase):
    """Hosts that the config, or their answers, call ill."""

    origins: ClassVar[dict[str, Served | None]] = {
        "well": Says(WELL),
        "ill": Says(ILL),
        "refusing": None,
    }

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        well, ill, refusing = (f"127.0.0.1:{ports[name]}" for name in cls.origins)
        outlier = {"consecutive_5xx": 2, "interval": "60s", "max_ejection_percent": 100}
        split = {
            **outlier,
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 3,
        }
        gateway = {**outlier, "consecutive_5xx": 9, "consecutive_gateway_failure": 2}
        enforced = {**gateway, "enforcing_consecutive_gateway_failure": 100}
        never = {"common_lb_config": {"healthy_panic_threshold": {"value": 0}}}
        fails = {"common_lb_config": {"zone_aware_lb_config": {"fail_traffic_on_panic": True}}}
        clusters = [
            *(_status(name, well) for name in STATUSES),
            {**_status("UNHEALTHY", well), "name": "never", **never},
            {**_status("UNHEALTHY", well), "name": "fails", **fails},
            _second("second", ill, well),
            cluster("answers", ill, outlier_detection=outlier, **never),
            cluster("few", ill, outlier_detection={**outlier, "max_ejection_percent": 10}),
            cluster("refused", refusing, outlier_detection=outlier, **never),
            cluster("split", refusing, outlier_detection=split, **never),
            cluster("gateway", ill, outlier_detection=gateway, **never),
            cluster("enforced", ill, outlier_detection=enforced, **never),
            cluster("panics", ill, outlier_detection=outlier),
        ]
        cls.names = [one["name"] for one in clusters]
        hosts = [host(name, name.lower(), routes=[route(name)]) for name in cls.names]
        return plainBootstrap(
            [manager("http", config={"virtual_hosts": hosts})],
            clusters,
            admin=ADMIN,
            cluster_manager={"outlier_detection": {"event_log_path": "outliers.log"}},
        )

    names: ClassVar[list[str]] = []

    def test_all(self) -> None:
        """Four requests to each: answers, flags, counters, events."""

        def asked(side: Side) -> Any:
            hosts = {name: [get("/", f"Host: {name.lower()}")] for name in self.names}
            found = [self.talked(side, "http", hosts) for _ in range(4)]
            lines = [
                line
                for line in scrubbed(side.program.admin("/clusters")).splitlines()
                if "::health_flags::" in line or "outlier" in line or "success_rate" in line
            ]
            events = [_event(line) for line in side.program.lines("outliers.log", 6)]
            return found, sorted(lines), sorted(events)

        self.same(
            asked,
            r"^cluster\.\w+\.(outlier_detection|membership|lb_healthy_panic|upstream_cx_none)",
            "http.log",
            4 * len(self.names),
        )


def _status(name: str, address: str) -> dict[str, Any]:
    """A cluster of one host of that health_status."""
    made = {"endpoint": {"address": addressOf(address)}, "health_status": name}
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [made]}]}
    return {"name": name, "load_assignment": assignment}


def _second(name: str, first: str, second: str) -> dict[str, Any]:
    """A cluster whose first priority is unhealthy."""
    one = {"endpoint": {"address": addressOf(first)}, "health_status": "UNHEALTHY"}
    other = {"endpoint": {"address": addressOf(second)}}
    groups = [{"lb_endpoints": [one]}, {"lb_endpoints": [other], "priority": 1}]
    return {"name": name, "load_assignment": {"cluster_name": name, "endpoints": groups}}


def _settled(side: Side) -> bool | None:
    """Has each host had its one check?"""
    once = r"^cluster\.(?!changing|leaving)\w+\."  # those two are checked again and again
    found = side.program.stats(once + r"health_check\.(success|failure)")
    return True if CHECKS.keys() <= {name.split(".")[1] for name in found} else None


def _flags(side: Side, name: str, wanted: str) -> str | None:
    """The flags of the one host of a cluster, once they are these."""
    for line in side.program.admin("/clusters").splitlines():
        if line.startswith(f"{name}::") and line.endswith(f"::health_flags::{wanted}"):
            return wanted
    return None


def _event(line: str) -> str:
    """Without its time and ports."""
    event = json.loads(line)
    assert event.pop("timestamp")
    event.pop("secs_since_last_action", None)
    if "socket_address" in event.get("host", {}):
        event["host"]["socket_address"]["port_value"] = 0
    return json.dumps(scrubbed(event))
