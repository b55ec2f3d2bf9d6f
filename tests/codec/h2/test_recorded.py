"""What other programs sent, cut at every place and with every byte changed, through both cores."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.codec.h2 import recorded
from tests.codec.h2.both import Asked, checkBoth, outcome
from tests.codec.h2.support import REQUEST

HEAD = ((b":method", b"HEAD"), *REQUEST[1:])
POST = ((b":method", b"POST"), *REQUEST[1:])

CLIENTS = {
    "curl": (recorded.CURL, [b"GET"]),
    "curl -d": (recorded.CURL_POST, [b"POST"]),
    "curl -I": (recorded.CURL_HEAD, [b"HEAD"]),
    "h2load": (recorded.H2LOAD, [b"GET"] * 6),
    "Envoy": (recorded.ENVOY_UPSTREAM, [b"GET", b"POST", b"HEAD", *[b"GET"] * 6]),
}
SERVERS: dict[str, tuple[bytes, list[tuple[object, bool]], list[bytes]]] = {
    "Envoy to curl": (recorded.ENVOY_TO_CURL, [(REQUEST, True)], [b"200"]),
    "Envoy to h2load": (recorded.ENVOY_TO_H2LOAD, [(REQUEST, True)] * 6, [b"200"] * 6),
    "nginx": (
        recorded.NGINX_TO_ENVOY,
        [(REQUEST, True), (POST, False), (HEAD, True), *[(REQUEST, True)] * 6],
        [b"200"] * 9,
    ),
}


def exchanges() -> list[tuple[bytes, Asked]]:
    """Either side's bytes, and what was asked if they are a server's."""
    clients: list[tuple[bytes, Asked]] = [(data, None) for data, _ in CLIENTS.values()]
    return [*clients, *((data, asked) for data, asked, _ in SERVERS.values())]  # type: ignore[misc]


class RecordedTests(SynchronousTestCase):
    """Exchanges of curl, h2load, Envoy and nginx."""

    def test_clients(self) -> None:
        """Each request is read."""
        for name, (data, methods) in CLIENTS.items():
            details, told, *_ = checkBoth(data)
            self.assertIsNone(details, name)
            found = [dict(events[0][1])[b":method"] for _, events in told]
            self.assertEqual(found, methods, name)

    def test_servers(self) -> None:
        """Each response is read."""
        for name, (data, asked, statuses) in SERVERS.items():
            details, told, *_ = checkBoth(data, asked)  # type: ignore[arg-type]
            self.assertIsNone(details, name)
            found = [dict(events[0][1])[b":status"] for _, events in told]
            self.assertEqual(found, statuses, name)

    def test_everySplitPoint(self) -> None:
        """Where the bytes are cut does not matter."""
        for data, asked in exchanges():
            _, expected, *_ = outcome(data, asked, (), False, False)
            for cut in range(1, len(data)):
                details, told, *_ = outcome(data, asked, (cut,), False, False)
                self.assertIsNone(details)
                self.assertEqual(told, expected, cut)

    def test_everyByteChanged(self) -> None:
        """Whatever it says then, both cores say the same of it."""
        for data, asked in exchanges():
            for place in range(len(data)):
                changed = bytearray(data)
                changed[place] ^= 1 << (place * 5 + 3) % 8
                checkBoth(bytes(changed), asked)
