"""
Write docs/supported.md: every extension, every field that is obeyed, and the test that shows it.

    python tools/make_supported.py            # write it
    python tools/make_supported.py --check    # status 1 when it is not up to date

What is read is found in the source (`config_reads`), the tests by searching for the field's name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tools.config_reads import Interpreter  # noqa: E402
from tools.config_values import Reads  # noqa: E402
from twisted_envoy.config.bootstrap import BOOTSTRAP, envoyPlans  # noqa: E402
from twisted_envoy.config.extensions import Extensions  # noqa: E402

DOCUMENT = ROOT / "docs" / "supported.md"
PACKAGE = ROOT / "twisted_envoy"
TESTS = ROOT / "tests"

HEAD = """\
# What is supported

Made by `python tools/make_supported.py` from the source; do not edit.

Envoy 1.40's messages, as far as the code reads them. For each field: the test that shows its
effect (the first place where its name is found among the tests of what reads it), or **untested**.
A field that is listed as refused stops the program when a bootstrap sets it, with one line that
names it; `--allow-unsupported` makes that a warning. A message or extension that is not named here
is refused likewise.
"""

COMMON = "What several of them share"
SERVER = "The bootstrap, listeners and clusters"

_PROXY = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_MATCH = "envoy.config.listener.v3.FilterChainMatch"
_READ_TO_REFUSE = {
    (_PROXY, "proxy_protocol_tlvs"),
    (_MATCH, "address_suffix"),
    (_MATCH, "suffix_len"),
}
"""Fields that are read for the sake of Envoy's own complaints about them, and then refused."""

NOTES = {
    ("envoy.config.core.v3.SocketAddress", "protocol"): "TCP",
}
"""What is obeyed of fields that are not obeyed entirely."""

_NOT_BEHAVIOUR = ("config", "third_party")
_LATE = ("parity", "integration", "testing")


def factories() -> Iterator[tuple[str, Any]]:
    """Every factory that comes with twisted_envoy, with the name of its module."""
    for path in sorted((PACKAGE / "extensions").rglob("__init__.py")):
        name = ".".join(path.parent.relative_to(ROOT).parts)
        for factory in getattr(import_module(name), "factories", ()):
            yield name, factory


def found() -> tuple[Reads, list[tuple[str, Any]]]:
    """What is read, and all factories."""
    plans = envoyPlans()
    extensions = Extensions(plans)
    known = list(factories())
    entries: list[tuple[str, str, Any]] = [("twisted_envoy.server.build", "buildServer", None)]
    cluster = plans.find("envoy.config.cluster.v3.Cluster")
    for _, factory in known:
        kind = type(factory)
        extensions.factory(factory.typeURL)
        plan = plans.find(factory.typeURL)
        plansOf = {
            "build": plan,
            "buildTree": plan,
            "buildRoute": plans.find(getattr(factory, "routeTypeURL", "")),
            "buildFromCluster": cluster,
        }
        for method, message in plansOf.items():
            if hasattr(kind, method):
                entries.append((kind.__module__, f"{kind.__name__}.{method}", message))
    wrapper = plans.find("envoy.config.route.v3.FilterConfig")
    entries.append(("twisted_envoy.http.routes.filter_configs", "unwrapped", wrapper))
    bootstrap = plans.find(BOOTSTRAP)
    reads = Interpreter(ROOT, {"loadBootstrap": bootstrap}).run(entries)
    for key, modules in list(reads.fields.items()):
        if key in _READ_TO_REFUSE or all(name.endswith(".refused") for name in modules):
            del reads.fields[key]
    return reads, known


class Tests:
    """The texts of all tests of behaviour."""

    def __init__(self) -> None:
        self._where: dict[str, list[Path]] = {}
        for path in sorted(TESTS.rglob("*")):
            if (
                path.suffix in (".py", ".yaml")
                and path.parent != TESTS
                and path.relative_to(TESTS).parts[0] not in _NOT_BEHAVIOUR
            ):
                for word in set(re.findall(r"\w+", path.read_text("utf-8"))):
                    self._where.setdefault(word, []).append(path)

    def of(self, field: str, modules: set[str]) -> str:
        """
        The first test that names a field: of the modules that read it, then of their folders,
        then of whole programs, then any.
        """
        where = self._where.get(field)
        if not where:
            return "**untested**"
        best = min(where, key=lambda path: (self._distance(path, modules), str(path)))
        if "_" not in field and self._distance(best, modules) > 1:
            return "**untested**"
        return f"[{best.relative_to(TESTS)}](../{best.relative_to(ROOT)})"

    def _distance(self, path: Path, modules: set[str]) -> int:
        relative = path.relative_to(TESTS)
        late = 2 if relative.parts[0] in _LATE else 3 if relative.name.startswith("test_") else 4
        return min([late, *(_near(relative, module) for module in modules)])


def _near(relative: Path, module: str) -> int:
    """0 for a module's own tests, 1 for others of its folder, much for all others."""
    parts = module.split(".")[1:]
    if relative == Path(*parts[:-1], f"test_{parts[-1]}.py"):
        return 0
    return 1 if len(parts) > 2 and relative.parent == Path(*parts[:-1]) else 9


def table(plan: Any, reads: Reads, tests: Tests) -> list[str]:
    """The fields of one message."""
    name = plan.fullName
    if name in reads.whole and not any(message == name for message, _ in reads.fields):
        return [f"`{name}`: taken as it is.", ""]
    rows, moot, refused = [], [], []
    for field in plan.uniqueFields():
        key = (name, field.name)
        if key in reads.fields:
            note = f" ({NOTES[key]} only)" if key in NOTES else ""
            rows.append(f"| `{field.name}`{note} | {tests.of(field.name, reads.fields[key])} |")
        elif key in reads.moot:
            moot.append(f"`{field.name}` ({reads.moot[key]})" if reads.moot[key] else field.name)
        elif not field.disallowed:
            refused.append(f"`{field.name}`")
    lines = [f"`{name}`", "", "| field | test |", "| --- | --- |", *rows, ""] if rows else []
    if not rows:
        lines = [f"`{name}`: no fields.", ""]
    if moot:
        lines += [f"Accepted, nothing to obey: {'; '.join(moot)}.", ""]
    if refused:
        lines += [f"Refused: {', '.join(refused)}.", ""]
    return lines


def packageOf(name: str) -> str:
    """`envoy.extensions.access_loggers.file.v3` of a message's full name, nested or not."""
    return ".".join(part for part in name.split(".") if not part[0].isupper())


def document() -> str:
    """The whole text."""
    plans = envoyPlans()
    reads, known = found()
    tests = Tests()
    messages = {name for name, _ in (*reads.fields, *reads.moot)} | reads.whole
    messages |= {factory.typeURL for _, factory in known}
    sections: dict[str, list[str]] = {}
    shown: set[str] = set()
    for module, factory in known:
        package = packageOf(factory.typeURL)
        own = sorted(
            (
                name
                for name in messages - shown
                if name == factory.typeURL or siblings(name, package, known)
            ),
            key=lambda name: (name != factory.typeURL, name),
        )
        shown.update(own)
        doc = (import_module(module).__doc__ or "").strip().split("\n\n")[0]
        title = factory.typeURL
        body = [" ".join(doc.split()), ""]
        for name in own:
            plan = plans.find(name)
            if plan is not None:
                body += table(plan, reads, tests)
        sections[title] = body
    lines = [HEAD, "## Extensions", ""]
    for title in sorted(sections):
        lines += [f"### {title}", "", *sections[title]]
    rest = sorted(messages - shown)
    server = [name for name in rest if not isShared(name)]
    shared = [name for name in rest if isShared(name)]
    for heading, names in ((SERVER, server), (COMMON, shared)):
        lines += [f"## {heading}", ""]
        for name in names:
            plan = plans.find(name)
            if plan is not None:
                lines += [f"### {plan.name}", "", *table(plan, reads, tests)]
    return "\n".join(lines).rstrip() + "\n"


def siblings(name: str, package: str, known: list[tuple[str, Any]]) -> bool:
    """Is a message of a package, and not that of another factory?"""
    return packageOf(name) == package and name not in {factory.typeURL for _, factory in known}


def isShared(name: str) -> bool:
    """Is it none of the messages that only a server's parts have?"""
    return not name.startswith(
        tuple(
            f"envoy.config.{part}."
            for part in ("bootstrap", "listener", "cluster", "endpoint", "overload")
        )
    )


def main(arguments: list[str]) -> int:
    """Write or check; returns the status."""
    text = document()
    if arguments == ["--check"]:
        current = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else ""
        if text != current:
            print("docs/supported.md is not up to date: run python tools/make_supported.py")
            return 1
        return 0
    DOCUMENT.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
