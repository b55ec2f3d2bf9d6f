"""The two filters of docs/writing_a_filter.md that pass a value over two hops, run."""

from __future__ import annotations

import re
import sys
from importlib import invalidate_caches
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.programs import ROOT
from twisted_envoy.config.bootstrap import envoyPlans
from twisted_envoy.testing import MemoryEnvoy

DOCUMENT = ROOT / "docs" / "writing_a_filter.md"
POINTS = """[twisted_envoy.extensions]
example.badge.v1.Give = envoy_badge:give
example.badge.v1.Show = envoy_badge:show
"""


class BadgeTests(SynchronousTestCase):
    """The blocks of the page, as a package."""

    def setUp(self) -> None:
        """Install the module, and start the config in memory."""
        found = re.findall(r"<!-- hops -->\n```\w+\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)
        module, config = found
        folder = Path(self.mktemp()).resolve()
        info = folder / "envoy_badge-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / "envoy_badge.py").write_text(module, "utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-badge\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(POINTS, "utf-8")
        self.patch(sys, "path", [*sys.path, str(folder)])
        self.addCleanup(sys.modules.pop, "envoy_badge", None)
        self.addCleanup(envoyPlans.cache_clear)
        invalidate_caches()
        self.envoy = MemoryEnvoy(config)
        self.addCleanup(self.envoy.stop)

    def test_badge(self) -> None:
        """The origin is shown where each client came from, two hops away."""
        origin = self.envoy.listen("127.0.0.1:10000")
        for number, address in enumerate(("10.0.0.1", "10.0.0.2")):
            client = self.envoy.connect("ingress", f"{address}:1234")
            client.write(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
            self.envoy.settle()
            server = origin.connections[number]
            badges = re.findall(rb"x-badge: ([^\r]*)", server.received)
            self.assertEqual(badges, [f"guest from {address}".encode()])
            server.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            self.envoy.settle()
            self.assertIn(b"200 OK", client.received)
