"""The package of docs/writing_a_filter.md: installed by pip, named by a bootstrap, tried."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from functools import lru_cache
from importlib import import_module, invalidate_caches
from pathlib import Path

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.integration.programs import (
    PATIENCE,
    ROOT,
    ProgramTestCase,
    connected,
    freePorts,
    receivedToEnd,
)
from twisted_envoy.config.bootstrap import envoyPlans
from twisted_envoy.errors import ConfigError
from twisted_envoy.testing import MemoryEnvoy

SOURCE = Path(__file__).resolve().parent / "knock"
DOCUMENT = ROOT / "docs" / "writing_a_filter.md"

BOOTSTRAP = """
static_resources:
  listeners:
  - name: ingress
    address: {socket_address: {address: 127.0.0.1, port_value: %d}}
    filter_chains:
    - filters:
      - name: knock
        typed_config: %s
      - name: envoy.filters.network.echo
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo
"""

OWN_TYPE = {"@type": "type.googleapis.com/example.knock.v1.Knock", "word": "sesame"}
TYPED_STRUCT = {
    "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
    "type_url": "type.googleapis.com/example.knock.v1.Knock",
    "value": {"word": "sesame"},
}


def bootstrap(config: object, port: int = 10001) -> str:
    """A bootstrap in which the filter stands before an echo."""
    return BOOTSTRAP % (port, json.dumps(config))


@lru_cache(maxsize=1)
def installed() -> Path:
    """The folder that pip has installed the package into."""
    source, target = Path("knock-source").resolve(), Path("knock-installed").resolve()
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([*pip, *options, str(source)], check=True, timeout=PATIENCE)
    return target


class InstalledTests(ProgramTestCase):
    """twistd with the package on its path, as site-packages would have it."""

    def serve_(self, config: object, message: bytes) -> bytes:
        """What the server answers to a message and an end of stream."""
        (port,) = freePorts(1)
        self.path = (ROOT, installed())
        program = self.spawn("-n", "--pidfile=", "envoy", "-c", self.file(bootstrap(config, port)))
        if not program.logs("starting main dispatch loop"):
            self.fail(program.log())
        with connected(port) as client:
            client.sendall(message)
            with contextlib.suppress(OSError):  # it may be reset already, which reading tells
                client.shutdown(1)
            try:
                return receivedToEnd(client)
            finally:
                self.assertEqual(program.end(), (0, ""), program.log())

    def test_ownType(self) -> None:
        """By its own type URL: the word is taken away, the rest comes back."""
        self.assertEqual(self.serve_(OWN_TYPE, b"sesamehello"), b"hello")

    def test_typedStruct(self) -> None:
        """By a TypedStruct."""
        self.assertEqual(self.serve_(TYPED_STRUCT, b"sesamehello"), b"hello")

    def test_wrongWord(self) -> None:
        """A connection with another word is reset."""
        self.assertRaises(ConnectionResetError, self.serve_, OWN_TYPE, b"simsalabim")

    def test_unknownWithoutThePackage(self) -> None:
        """Where it is not installed its type is unknown."""
        program = self.spawn(
            "-n", "--pidfile=", "envoy", "-l", "error", "-c", self.file(bootstrap(OWN_TYPE))
        )
        self.assertEqual(program.ended(), (1, ""))
        self.assertIn("could not find @type", program.log())


class FilterTests(SynchronousTestCase):
    """The filter in memory."""

    def setUp(self) -> None:
        """Let this process find the package."""
        path = str(installed())
        self.patch(sys, "path", [*sys.path, path])
        invalidate_caches()
        self.addCleanup(envoyPlans.cache_clear)

    def envoy(self, **config: object) -> MemoryEnvoy:
        """The bootstrap, running on a clock."""
        envoy = MemoryEnvoy(bootstrap({**OWN_TYPE, **config}))
        self.addCleanup(envoy.stop)
        return envoy

    def test_everySplit(self) -> None:
        """However the word is cut into pieces."""
        envoy = self.envoy()
        message = b"sesamehello"
        for cut in range(len(message) + 1):
            client = envoy.connect("ingress")
            for piece in (message[:cut], message[cut:]):
                client.write(piece)
                envoy.settle()
            self.assertEqual(client.received, b"hello")

    def test_wrong(self) -> None:
        """Another word, or an end before the word is whole: counted, and nothing behind it runs."""
        envoy = self.envoy()
        for words, ends in ((b"sesume", False), (b"sesa", True)):
            client = envoy.connect("ingress")
            client.write(words)
            if ends:
                client.loseWriteConnection()
            envoy.settle()
            self.assertTrue(client.wasReset)
        self.assertEqual(envoy.stat("listener.127.0.0.1_10001.knock.wrong"), 2)

    def test_patience(self) -> None:
        """Silence is wrong after a while."""
        envoy = self.envoy(patience=5)
        client = envoy.connect("ingress")
        envoy.advance(4)
        self.assertFalse(client.wasReset)
        envoy.advance(2)
        self.assertTrue(client.wasReset)

    def test_noWord(self) -> None:
        """An error of the factory's has file, line and column."""
        error = self.assertRaises(ConfigError, self.envoy, word="")
        self.assertRegex(
            str(error), r"^\S+:\d+:\d+: \S+filters\[0\].typed_config.word: a secret word must have"
        )


class DocumentTests(SynchronousTestCase):
    """docs/writing_a_filter.md shows these very files."""

    def test_code(self) -> None:
        """Each of its blocks that has a file name is that file."""
        text = DOCUMENT.read_text("utf-8")
        blocks = dict(re.findall(r"(?m)^`([\w./]+)`:\n\n```\w*\n(.*?)^```", text, re.DOTALL))
        files = {
            str(path.relative_to(SOURCE)): path.read_text("utf-8")
            for path in SOURCE.rglob("*")
            if path.suffix in (".py", ".cfg")
        }
        self.assertEqual(blocks, files)

    def test_smallest(self) -> None:
        """The module, setup.cfg and config at the top of the page, as pip would install them."""
        found = re.findall(
            r"<!-- smallest -->\n```\w+\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S
        )
        module, setup, config = found
        parser = ConfigParser()
        parser.read_string(setup)
        folder = Path(self.mktemp()).resolve()
        info = folder / "envoy_upper-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / "envoy_upper.py").write_text(module, "utf-8")
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: envoy-upper\nVersion: 1.0\n")
        ((group, points),) = parser["options.entry_points"].items()
        (info / "entry_points.txt").write_text(f"[{group}]{points}\n", "utf-8")
        self.patch(sys, "path", [*sys.path, str(folder)])
        self.addCleanup(sys.modules.pop, "envoy_upper", None)
        invalidate_caches()

        envoy = MemoryEnvoy(bootstrap(yaml.safe_load(config)["typed_config"]))
        self.addCleanup(envoy.stop)
        client = envoy.connect("ingress")
        client.write(b"hello")
        envoy.settle()

        self.assertEqual(client.received, b"HELLO!")

    def test_package(self) -> None:
        """What pip installed is importable and names its type."""
        self.patch(sys, "path", [*sys.path, str(installed())])
        invalidate_caches()
        (factory,) = import_module("envoy_knock").factories
        self.assertEqual(factory.typeURL, "example.knock.v1.Knock")
