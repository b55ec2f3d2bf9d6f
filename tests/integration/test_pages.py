"""What docs/tls.md, docs/health.md and docs/testing.md show runs as it stands there."""

from __future__ import annotations

import os
import re
from typing import Any
from unittest import TestResult

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap, cluster, listener, tcpProxy
from tests.extensions.common.tls.pki import Authority
from tests.integration.programs import ROOT
from twisted_envoy.testing import MemoryEnvoy


def blocks(page: str, kind: str = "runs") -> list[str]:
    """The marked blocks of a page."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    found: list[str] = re.findall(rf"<!-- {kind} -->\n```yaml\n(.*?)```", text, re.S)
    return found


class PageTests(SynchronousTestCase):
    """Each block is a whole bootstrap, and runs."""

    def start(self, text: str) -> MemoryEnvoy:
        """Run it on a clock."""
        envoy = MemoryEnvoy(text)
        self.addCleanup(envoy.stop)
        return envoy

    def test_allAreMarked(self) -> None:
        """No block of these pages is left out."""
        for page in ("tls.md", "health.md"):
            text = (ROOT / "docs" / page).read_text("utf-8")
            marked = len(blocks(page)) + len(blocks(page, "secrets"))
            self.assertEqual(text.count("```yaml"), marked, page)

    def test_health(self) -> None:
        """The internal endpoint is asked through its listener, and healthy."""
        (text,) = blocks("health.md")
        envoy = self.start(text)
        envoy.advance(1)
        self.assertEqual(envoy.stat("cluster.inside.membership_healthy"), 1)
        self.assertEqual(envoy.stat("cluster.inside.health_check.success"), 1)

    def test_tls(self) -> None:
        """A listener, a cluster, and a listener whose secrets stand in files."""
        folder = self.mktemp()
        os.mkdir(folder)
        authority = Authority()
        texts = {"ca.crt": authority.pem}
        for kind in ("ecdsa", "rsa"):
            config = authority.issue("a.example", kind=kind).config
            texts[f"{kind}.crt"] = config["certificate_chain"]["inline_string"]
            texts[f"{kind}.key"] = config["private_key"]["inline_string"]
        texts["mine.yaml"], texts["clients.yaml"] = blocks("tls.md", "secrets")

        def placed(text: str) -> str:
            names = "|".join(map(re.escape, texts))
            return re.sub(rf"(filename|path): (?:\./)?({names})", rf"\1: {folder}/\2", text)

        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(placed(text))
        _, _, secrets = [self.start(placed(text)) for text in blocks("tls.md")]
        for name in ("mine", "clients"):
            self.assertEqual(secrets.stat(f"sds.{name}.update_success"), 1)


class TestingPageTests(SynchronousTestCase):
    """What docs/testing.md shows."""

    def setUp(self) -> None:
        text = (ROOT / "docs" / "testing.md").read_text("utf-8")
        self.example, self.resolving = re.findall(r"```python\n(.*?)```", text, re.S)

    def test_example(self) -> None:
        """The file, in a checkout, passes wherever it is run."""
        names: dict[str, Any] = {"__file__": str(ROOT / "test_doc.py"), "__name__": "test_doc"}
        exec(self.example, names)
        result = TestResult()
        names["ProxyTests"]("test_bytesGoThroughTheInternalListener").run(result)
        self.assertEqual((result.testsRun, result.errors, result.failures), (1, [], []))

    def test_resolver(self) -> None:
        """A name that the constructor is told is known at once."""
        named = cluster("origin", "origin.example:80", type="STRICT_DNS")
        proxy = listener("in", "127.0.0.1:9000", tcpProxy("origin"))
        names: dict[str, Any] = {"bootstrap": bootstrap([proxy], [named])}
        exec(self.resolving, names)
        envoy, origin = names["envoy"], names["origin"]
        self.addCleanup(envoy.stop)
        envoy.connect("in")
        self.assertEqual(len(origin.connections), 1)
