"""The wheel and the sdist: what is in them, and that what was installed works from anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from functools import lru_cache
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120
LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv*",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "build",
    "dist",
    "*.egg-info",
    "_trial_temp*",
)

BUILD = "import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
TWISTD = "from twisted.scripts.twistd import run; run()"
STRINGS = """
import os, twisted_envoy
from twisted.internet import reactor
from twisted.internet.endpoints import clientFromString, serverFromString
for endpoint in serverFromString(reactor, "internal:x"), clientFromString(reactor, "internal:x"):
    print(type(endpoint).__module__, type(endpoint).__name__)
print(os.path.dirname(os.path.dirname(twisted_envoy.__file__)))
"""


def run(*command: str | Path, cwd: Path, status: int = 0) -> str:
    """
    Run a program without any PYTHONPATH.

    Returns:
        What it printed.
    """
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if done.returncode != status:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


@lru_cache(maxsize=1)
def checkout() -> Path:
    """A copy of the project, so that nothing is built in the checkout, nor taken from a `build`."""
    copy = Path("packaging").resolve()
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    return copy


@lru_cache(maxsize=2)
def built(kind: str) -> Path:
    """The one file that setuptools makes: kind is `wheel` or `sdist`."""
    out = Path(f"built-{kind}").resolve()
    out.mkdir()
    run(sys.executable, "-c", BUILD.format(kind=kind), out, cwd=checkout())
    (found,) = out.iterdir()
    return found


def linkDependencies(target: Path) -> None:
    """
    Link everything that this environment has installed into another's site-packages.

    Twisted's folder and its plugins are folders of links: that is where the wheel's own go.
    """
    source = Path(sysconfig.get_path("purelib"))
    for folder in (".", "twisted", "twisted/plugins"):
        (target / folder).mkdir(exist_ok=True)
        for path in (source / folder).iterdir():
            name = path.name
            if not (name in ("twisted", "plugins", "dropin.cache", "__pycache__") or isOurs(name)):
                (target / folder / name).symlink_to(path)


def isOurs(name: str) -> bool:
    """Is it part of an installed twisted_envoy?"""
    return name.startswith(("twisted_envoy", "__editable__")) or name == "twisted-envoy.egg-link"


@lru_cache(maxsize=1)
def installed() -> Path:
    """The interpreter of a fresh venv in which the wheel is installed."""
    venv = Path("venv").resolve()
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=Path.cwd())
    interpreter = venv / "bin" / "python"
    purelib = run(
        interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=venv
    )
    linkDependencies(Path(purelib.strip()))
    pip = (sys.executable, "-m", "pip", "--python", interpreter, "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", built("wheel"), cwd=venv)
    return interpreter


class WheelTests(SynchronousTestCase):
    """What is in the wheel."""

    def test_contents(self) -> None:
        """Every module, the schema, the demo, both plugins, the licence; no tests."""
        names = set(zipfile.ZipFile(built("wheel")).namelist())
        expected = {
            str(path.relative_to(ROOT))
            for folder in ("twisted_envoy", "twisted")
            for path in (ROOT / folder).rglob("*.py")
        }
        expected |= {"twisted_envoy/config/schema.binpb.gz", "twisted_envoy/py.typed"}
        expected |= {"twisted_envoy/server/demo.yaml"}
        self.assertEqual(expected - names, set())
        info = {name for name in names if ".dist-info/" in name}
        self.assertEqual(names - info, expected)
        self.assertEqual(
            {Path(name).name for name in info},
            {"LICENSE", "METADATA", "NOTICE", "RECORD", "WHEEL", "top_level.txt"},
        )

    def test_metadata(self) -> None:
        """The README is the description; nothing but run time requirements without an extra."""
        archive = zipfile.ZipFile(built("wheel"))
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        text = archive.read(name).decode()
        needs = {
            line.partition(": ")[2].partition(">")[0].strip()
            for line in text.splitlines()
            if line.startswith("Requires-Dist: ") and "extra ==" not in line
        }
        self.assertEqual(
            needs, {"PyYAML", "h2", "protobuf", "pyOpenSSL", "twisted[tls]", "zope.interface"}
        )
        self.assertIn((ROOT / "README.md").read_text("utf-8"), text)

    def test_sdist(self) -> None:
        """All that it takes to test and to change it."""
        with tarfile.open(built("sdist")) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        expected = {
            ".ci/run",
            "NOTICE",
            "README.md",
            "configs/envoy.tac",
            "docs/supported.md",
            "tests/test_packaging.py",
            "tools/extract_schema.py",
            "twisted/plugins/twisted_envoy_tap.py",
            "twisted_envoy/config/schema.binpb.gz",
        }
        self.assertEqual(expected - names, set())
        self.assertEqual([name for name in names if "__pycache__" in name], [])


class InstalledTests(SynchronousTestCase):
    """The wheel, installed into a fresh environment and used from an empty folder."""

    def setUp(self) -> None:
        """The folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def test_strings(self) -> None:
        """`internal:` strings are known."""
        lines = run(installed(), "-c", STRINGS, cwd=self.folder).splitlines()
        self.assertEqual(
            lines[:2],
            [
                "twisted_envoy.internal.endpoints InternalServerEndpoint",
                "twisted_envoy.internal.endpoints InternalClientEndpoint",
            ],
        )
        self.assertTrue(lines[2].startswith(str(installed().parent.parent)), lines[2])

    def test_help(self) -> None:
        """`twistd envoy --help`, and envoy among twistd's commands."""
        text = run(installed(), "-c", TWISTD, "envoy", "--help", cwd=self.folder)
        self.assertIn("--config-path=", text)
        text = run(installed(), "-c", TWISTD, "--help", cwd=self.folder)
        self.assertRegex(text, r"(?m)^ +envoy +Envoy")

    def test_validate(self) -> None:
        """Everything that a config needs is there, the schema too."""
        config = ROOT / "configs" / "filters.yaml"
        text = run(
            installed(), "-c", TWISTD, "envoy", "--mode", "validate", "-c", config, cwd=self.folder
        )
        self.assertEqual(text, f"configuration '{config}' OK\n")

    def test_twist(self) -> None:
        """`twist envoy` is the same program."""
        text = run(installed(), "-m", "twisted", "envoy", "--help", cwd=self.folder)
        self.assertIn("--config-path=", text)
