"""A server whose memory is short from the beginning."""

from __future__ import annotations

import re

from tests.bootstraps import listener
from tests.extensions.clusters.dynamic_forward_proxy.support import manager
from tests.parity.programs import until
from tests.parity.support import ParityTestCase, Side, served
from tests.server.test_build_overload_manager import SHRINK, STOP, action, heap

_DATE = re.compile(rb"date: [^\r]*")


class OverloadTests(ParityTestCase):
    """Every request is refused."""

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
        return served(
            [listener("in", "127.0.0.1:0", manager(routes=[route]), stat_prefix="in")],
            overload_manager={
                "refresh_interval": "0.1s",
                "resource_monitors": [heap()],
                "actions": [action(), action(SHRINK)],
            },
        )

    def test_refused(self) -> None:
        """With a text, a counter and a log line; the connection stays."""

        def scenario(side: Side) -> object:
            active = f"overload.{STOP}.active: 1\n"
            until(lambda: active in side.program.admin("/stats") or None)
            client = side.connect("in")
            got = []
            for _ in range(2):
                client.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                data = b""
                while not data.endswith(b"envoy overloaded"):
                    data += client.some() or b"envoy overloaded"
                got.append(_DATE.sub(b"", data))
            client.close()
            return got

        names = rf"downstream_rq_(overload|5xx|total)|overload\.{STOP}|{SHRINK}.active"
        self.same(scenario, rf"^http\.http\..*({names})|^{names}", "http.log", 2)
