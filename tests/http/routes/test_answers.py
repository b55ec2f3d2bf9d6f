"""What real Envoy 1.40 answered to many requests and configurations, and what routes say here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import Context, problem, requestInfo, tableOf
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.redirect import REQUEST_URL
from twisted_envoy.state.request_info import RequestInfo

RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("envoy_answers.json").read_text("utf-8")
)
RUNTIME: dict[str, object] = {
    **{"w.a": 0, "w.b": 0, "w.c": 1, "frac.on": 100, "frac.off": 0},
    "frac.st": {"numerator": 1000000, "denominator": "MILLION"},
}
NOT_OURS = ("connection", "x-forwarded-proto")


def shown(headers: HeaderMap) -> list[list[str]]:
    """What is compared of headers."""
    pairs = ([name.decode(), value.decode()] for name, value in headers.pairs())
    return sorted(pair for pair in pairs if pair[0][0] != ":" and pair[0] not in NOT_OURS)


def answer(entry: RouteEntry | None, headers: HeaderMap, info: RequestInfo) -> dict[str, Any]:
    """What a client, or the upstream, would see of an entry."""
    response = HeaderMap()
    if entry is None:
        return {"kind": 404, "resp": [], "body": ""}
    if entry.redirect is not None:
        status, location = entry.redirect.newLocation(headers, info)
        response.add(b"location", location)
        entry.finalizeResponse(response, info)
        return {"kind": status, "resp": shown(response), "body": ""}
    if entry.directResponse is not None:
        status = entry.directResponse.status
        if status == 201 or 300 <= status < 400:
            response.add(b"location", REQUEST_URL.newLocation(headers, info)[1])
        entry.finalizeResponse(response, info)
        body = entry.directResponse.makeBody(info).decode()
        return {"kind": status, "resp": shown(response), "body": body}
    entry.finalizeRequest(headers, info)
    entry.finalizeResponse(response, info)
    return {
        "kind": "cluster",
        "path": headers[b":path"].decode(),
        "host": [headers[b":authority"].decode()],
        "req": shown(headers),
        "resp": shown(response),
    }


class AnswerTests(SynchronousTestCase):
    def test_requests(self) -> None:
        """Each request gets the route, the edits and the location that it gets of Envoy."""
        asked = 0
        for group in RECORDED["answers"]:
            table = tableOf(group["config"], Context(runtime=RUNTIME))
            for pairs, expected in group["requests"]:
                headers = HeaderMap((name.encode(), value.encode()) for name, value in pairs)
                scheme = headers.get(b"x-forwarded-proto", b"http")
                headers.set(b":scheme", scheme)
                headers.set(b"x-forwarded-proto", scheme)
                info = requestInfo()
                info.protocol, info.requestHeaders = "HTTP/1.1", headers
                entry = table.match(headers, info, 0)
                self.assertEqual(answer(entry, headers, info), expected, pairs)
                asked += 1
        self.assertGreater(asked, 300)

    def test_errors(self) -> None:
        """Each configuration is refused in Envoy's words."""
        for config, words in RECORDED["errors"].items():
            self.assertEqual(problem(config, Context(runtime=RUNTIME)), words, config)
        self.assertGreater(len(RECORDED["errors"]), 40)
