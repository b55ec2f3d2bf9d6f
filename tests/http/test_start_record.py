"""What is logged of a request that begins, and of one that no router sees."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import logTo
from tests.http.manager import ORIGIN, PROXIED
from tests.http.test_server_connection import GET, ConnectionCase

START = {"flush_access_log_on_new_request": True}
FORMAT = "%ACCESS_LOG_TYPE% %REQ(:PATH)% %UPSTREAM_CLUSTER% %ROUTE_NAME% %UPSTREAM_HOST%"


def named(name: str, prefix: str, **route: Any) -> dict[str, Any]:
    """A route to the origin."""
    return {"name": name, "match": {"prefix": prefix}, "route": {"cluster": "origin", **route}}


class StartTests(ConnectionCase):
    """flush_access_log_on_new_request."""

    def asked(self, text: str, *routes: dict[str, Any], **manager: Any) -> Any:
        """The origin of one request; the log is in `starts`."""
        envoy = self.start(
            list(routes),
            access_log=logTo("starts", text),
            access_log_options=START,
            **manager,
        )
        origin = envoy.listen(ORIGIN)
        self.client(GET)
        return origin

    def answer(self, connection: Any, *lines: bytes) -> None:
        """The origin's."""
        connection.write(b"\r\n".join((*lines, b"content-length: 0", b"", b"")))
        self.envoy.settle()

    def test_cluster(self) -> None:
        """The route's cluster is known before anything is chosen; no connection is."""
        text = f"{FORMAT} %UPSTREAM_DETECTED_CLOSE_TYPE%"
        origin = self.asked(text, named("all", "/"))
        self.answer(origin.connections[0], b"HTTP/1.1 200 OK")

        self.assertEqual(
            self.envoy.lines("starts"),
            [
                "DownstreamStart / origin all - -",
                f"DownstreamEnd / origin all {ORIGIN} Normal",
            ],
        )

    def test_refusedUpgrade(self) -> None:
        """It had no connection that could be closed."""
        envoy = self.start(
            [PROXIED],
            access_log=logTo("refused", "%UPSTREAM_CLUSTER% %UPSTREAM_DETECTED_CLOSE_TYPE%"),
        )
        self.client(GET[:-2] + b"upgrade: x\r\nconnection: upgrade\r\n\r\n")

        self.assertEqual(envoy.lines("refused"), ["origin -"])

    def test_redirects(self) -> None:
        """Each leg has a start; the first one's end tells where the next goes."""
        policy = {"redirect_response_codes": [302]}
        routes = (named("next", "/next"), named("all", "/", internal_redirect_policy=policy))
        origin = self.asked(FORMAT, *routes)
        self.answer(origin.connections[0], b"HTTP/1.1 302 Found", b"location: http://a.test/next")
        self.answer(origin.connections[-1], b"HTTP/1.1 200 OK")

        self.assertEqual(
            self.envoy.lines("starts"),
            [
                "DownstreamStart / origin all -",
                f"DownstreamEnd /next origin next {ORIGIN}",
                "DownstreamStart /next origin next -",
                f"DownstreamEnd /next origin next {ORIGIN}",
            ],
        )

    def test_redirectedNowhere(self) -> None:
        """An answer that leads to no route goes to the client; cluster and route are forgotten."""
        policy = {"redirect_response_codes": [302]}
        exact = {**named("all", "/", internal_redirect_policy=policy), "match": {"path": "/"}}
        origin = self.asked(FORMAT, exact)
        self.answer(origin.connections[0], b"HTTP/1.1 302 Found", b"location: http://a.test/no")

        self.assertEqual(self.envoy.lines("starts")[-1], f"DownstreamEnd / - - {ORIGIN}")
