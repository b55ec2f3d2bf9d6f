"""Broken health checks and outlier detection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.bootstraps import bootstrap, cluster

BASE = {"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1}
TCP: dict[str, Any] = {"tcp_health_check": {}}


def _text(*checks: dict[str, Any], **fields: Any) -> str:
    made = [{**BASE, **check} for check in checks]
    return bootstrap([], [cluster("c", "127.0.0.1:9", health_checks=made, **fields)])


def _web(**fields: Any) -> str:
    return _text({"http_health_check": {"path": "/", **fields}})


def healthRefusals() -> Iterator[tuple[str, str]]:
    """Name and text of each."""
    yield "healthTwo", _text(TCP, TCP)
    yield "healthNone", _text({})
    yield "healthHex", _text({"tcp_health_check": {"send": {"text": "zz"}}})
    yield "healthOddHex", _text({"tcp_health_check": {"receive": [{"text": "abc"}]}})
    yield "healthSendGet", _web(send={"text": "aa"})
    yield "healthSendHead", _web(send={"text": "aa"}, method="HEAD")
    yield "healthSendHex", _web(send={"text": "zz"}, method="PUT")
    yield "healthConnect", _web(method="CONNECT")
    yield "healthGRPC", _text({"grpc_health_check": {}})
    for start, end in ((99, 200), (200, 200), (200, 601), (0, 700)):
        ranges: Any = [{"start": start, "end": end}]
        yield f"expected{start}_{end}", _web(expected_statuses=ranges)
    yield "healthRetriable", _web(retriable_statuses=[{"start": 300, "end": 200}])
    yield "healthHeader", _web(request_headers_to_add=[{"header": {"key": ":path", "value": "x"}}])
    yield "healthRemove", _web(request_headers_to_remove=["Host"])
    yield "healthCustom", _text({"custom_health_check": {"name": "x"}})
    yield "healthSink", _text({**TCP, "event_logger": [{"name": "f"}]})
    yield "healthJitter", _text({**TCP, "initial_jitter": "-1s"})
    yield "healthLog", _text({**TCP, "event_log_path": "/nowhere/to/be/found"})
    times = {"base_ejection_time": "40s", "max_ejection_time": "30s"}
    yield "outlierTimes", _text(TCP, outlier_detection=times)
    yield "outlierPercent", _text(TCP, outlier_detection={"max_ejection_percent": 101})
