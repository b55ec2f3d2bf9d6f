"""What an outcome says of the host."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.codec.http import Reset
from twisted_envoy.extensions.filters.http.router.outcome import answered, failed

GRPC = HeaderMap([(b"content-type", b"application/grpc+proto")])


class Host:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.words: list[Any] = []
        self.monitor: Any = self
        self.passiveHealth: Any = lambda: self.words.append("goes")

    def responded(self, status: int) -> None:
        self.words.append(status)

    def connectFailed(self) -> None:
        self.words.append("failed")


class OutcomeTests(SynchronousTestCase):
    def told(self, request: HeaderMap, status: bytes, *headers: tuple[bytes, bytes]) -> list[Any]:
        host = Host()
        answered(host, request, HeaderMap([(b":status", status), *headers]))
        return host.words

    def test_status(self) -> None:
        """Of the answer."""
        self.assertEqual(self.told(HeaderMap(), b"503"), [503])
        self.assertEqual(self.told(HeaderMap(), b"200", (b"grpc-status", b"14")), [200])

    def test_grpc(self) -> None:
        """Its own status counts, where the headers have it."""
        for said, status in ((b"0", 200), (b"14", 503), (b"5", 404), (b"99", 500), (b"x", 500)):
            self.assertEqual(self.told(GRPC, b"200", (b"grpc-status", said)), [status])
        self.assertEqual(self.told(GRPC, b"502"), [502])

    def test_immediate(self) -> None:
        """The host says that it goes."""
        said = (b"x-envoy-immediate-health-check-fail", b"true")
        self.assertEqual(self.told(HeaderMap(), b"200", said), [200, "goes"])
        host = Host()
        host.passiveHealth = host.monitor = None
        answered(host, HeaderMap(), HeaderMap([(b":status", b"200"), said]))
        self.assertEqual(host.words, [])

    def test_failed(self) -> None:
        """No connection, or a reset; not a limit of our own."""
        for reason, words in ((Reset.REMOTE, ["failed"]), (Reset.OVERFLOW, [])):
            host = Host()
            failed(host, reason)
            self.assertEqual(host.words, words)
        host.monitor = None
        failed(host, Reset.REMOTE)
