"""The HTTP filter of docs/writing_a_filter.md, found by its entry point and run."""

from __future__ import annotations

import re
import sys
from importlib import invalidate_caches
from pathlib import Path

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, listener, typed
from tests.integration.programs import ROOT
from twisted_envoy.config.bootstrap import envoyPlans
from twisted_envoy.testing import MemoryEnvoy

DOCUMENT = ROOT / "docs" / "writing_a_filter.md"
_MANAGER = "filters.network.http_connection_manager.v3.HttpConnectionManager"


class HTTPFilterTests(SynchronousTestCase):
    """The blocks of the page, as a package."""

    def setUp(self) -> None:
        """Install the module, and start the config in memory."""
        found = re.findall(r"<!-- http -->\n```\w+\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)
        module, config = found
        folder = Path(self.mktemp()).resolve()
        info = folder / "envoy_secret-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / "envoy_secret.py").write_text(module, "utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-secret\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[twisted_envoy.extensions]\nexample.secret.v1.Secret = envoy_secret:factory\n", "utf-8"
        )
        self.patch(sys, "path", [*sys.path, str(folder)])
        self.addCleanup(sys.modules.pop, "envoy_secret", None)
        self.addCleanup(envoyPlans.cache_clear)
        invalidate_caches()
        manager = typed("http", _MANAGER, stat_prefix="web", **yaml.safe_load(config))
        self.envoy = MemoryEnvoy(bootstrap([listener("web", "127.0.0.1:8080", manager)]))
        self.addCleanup(self.envoy.stop)

    def ask(self, path: str, word: str) -> tuple[str, str, str]:
        """The status line, the stamp and the body of an answer."""
        client = self.envoy.connect("web")
        client.write(f"GET {path} HTTP/1.1\r\nhost: test\r\nx-secret: {word}\r\n\r\n".encode())
        self.envoy.settle()
        head, _, body = client.received.decode().partition("\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        return head.split("\r\n")[0], headers["x-stamp"], body

    def test_word(self) -> None:
        """Who knows it is answered, loudly."""
        self.assertEqual(self.ask("/", "sesame"), ("HTTP/1.1 200 OK", "seen", "HELLO"))

    def test_wrongWord(self) -> None:
        """Who does not is answered by the filter, whose own answers it sees too."""
        expected = ("HTTP/1.1 403 Forbidden", "seen", "WHO ARE YOU?")
        self.assertEqual(self.ask("/", "simsalabim"), expected)
        self.assertEqual(self.ask("/other", "sesame"), expected)

    def test_wordOfRoute(self) -> None:
        """A route has its own."""
        self.assertEqual(self.ask("/other", "abracadabra"), ("HTTP/1.1 200 OK", "seen", "HELLO"))
