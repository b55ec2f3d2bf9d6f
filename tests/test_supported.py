"""docs/supported.md: made from the source, and up to date."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tools.config_reads import Interpreter
from tools.config_values import Module, Reads
from tools.make_supported import DOCUMENT, document
from twisted_envoy.config.bootstrap import envoyPlans

ROOT = Path(__file__).resolve().parent.parent

LISTENER = "envoy.config.listener.v3.Listener"
FILTER = "envoy.config.accesslog.v3.AccessLogFilter"

SOURCE = """
class Reader:
    def __init__(self, config):
        self._config = config

    def read(self):
        for chain in self._config.filter_chains:
            name(chain)

def name(view):
    return view.name, [filter.name for filter in view.filters]

def duration(view):
    return view.comparison

def header(view):
    return view.header

TABLE = {"duration_filter": duration, "header_filter": header}

def build(config):
    config.moot("drain_type", "because")
    if config.has("tcp_backlog_size"):
        Reader(config).read()
    for field in ("freebind", "transparent"):
        getattr(config, field)
    return filterOf(config.access_log[0].filter)

def filterOf(view):
    kind = view.which("filter_specifier")
    return TABLE[kind](getattr(view, kind))
"""


def readsOf(source: str) -> Reads:
    """What is read by `build(config)` of a text, config being a Listener."""
    interpreter = Interpreter(ROOT, {})
    interpreter.modules["here"] = Module("here", source)
    return interpreter.run([("here", "build", envoyPlans().find(LISTENER))])


class DocumentTests(SynchronousTestCase):
    """The page."""

    def test_upToDate(self) -> None:
        """It is what the tool makes of the source as it is."""
        current = DOCUMENT.read_text("utf-8").splitlines()
        made = document().splitlines()
        changed = [line for line in made if line not in current]
        changed += [line for line in current if line not in made]
        self.assertEqual(changed, [], "run python tools/make_supported.py")
        self.assertEqual(made, current)


class ReadsTests(SynchronousTestCase):
    """How reads are found."""

    def test_followed(self) -> None:
        """Through attributes, loops, calls, constant names and tables of functions."""
        reads = readsOf(SOURCE)
        found = {f"{message.rpartition('.')[2]}.{field}" for message, field in reads.fields}
        self.assertEqual(
            found,
            {
                "AccessLog.filter",
                "AccessLogFilter.duration_filter",
                "AccessLogFilter.header_filter",
                "DurationFilter.comparison",
                "Filter.name",
                "FilterChain.filters",
                "FilterChain.name",
                "HeaderFilter.header",
                "Listener.access_log",
                "Listener.filter_chains",
                "Listener.freebind",
                "Listener.transparent",
            }
            | {
                f"AccessLogFilter.{member.name}"
                for member in envoyPlans()
                .find(FILTER)  # type: ignore[union-attr]
                .descriptor.oneofs_by_name["filter_specifier"]
                .fields
            },
        )
        self.assertEqual(reads.moot, {(LISTENER, "drain_type"): "because"})

    def test_ofSeveral(self) -> None:
        """What is done to one of several messages is done to each that it may be."""
        reads = readsOf(
            "NAMES = ('address', 'metadata')\n"
            "def build(config):\n"
            "    for name in NAMES:\n"
            "        one = getattr(config, name)\n"
            "        one.moot('pipe', 'b')\n"
            "        one.moot('filter_metadata', 'c')\n"
            "        one.moot('pipe', 'a')\n"
        )
        self.assertEqual(
            reads.moot,
            {
                ("envoy.config.core.v3.Address", "pipe"): "a",
                ("envoy.config.core.v3.Metadata", "filter_metadata"): "c",
            },
        )

    def test_whatIsNotRead(self) -> None:
        """Asking whether a field is there reads nothing."""
        reads = readsOf("def build(config):\n    config.has('name')\n    config.error('x', 'name')")
        self.assertEqual(dict(reads.fields), {})
