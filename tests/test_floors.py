"""Who may import whom: the floors of ARCHITECTURE.md."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "twisted_envoy"

GROUND = ("errors", "values", "internal.address", "internal.interfaces", "internal.turn")
"""What floor 0 shares."""

FLOOR_1 = ("interfaces", "config")
FLOOR_0 = ("internal", "sockets", "stats", "state", "formatter", "codec")
LOWER = (*GROUND, *FLOOR_0, *FLOOR_1)

ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "values": (),
    "internal": GROUND,
    "sockets": GROUND,
    "stats": GROUND,
    "state": GROUND,
    "formatter": (*GROUND, "state"),
    "codec": GROUND,
    "interfaces": LOWER,
    "config": LOWER,
    "network": LOWER,
    "http": (*LOWER, "network"),
    "upstream": (*LOWER, "network", "http"),
    "access_log": (*LOWER, "network"),
    "extensions": (*LOWER, "network", "http", "upstream", "access_log", "extensions.common"),
}
"""Package -> what its modules may import, besides their own package. Others may import anything."""


def moduleName(path: Path) -> str:
    """`network.chain` of twisted_envoy/network/chain.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def isTypeChecking(node: ast.AST) -> TypeGuard[ast.If]:
    """Is it `if TYPE_CHECKING:`?"""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and (node.test.id == "TYPE_CHECKING")
    )


def importsOf(tree: ast.AST, everywhere: bool = True) -> Iterator[tuple[int, str]]:
    """
    What runs as an import: (line, dotted name of the module, with the imported name behind it).

    Args:
        everywhere: also inside functions.
    """
    if isinstance(tree, ast.Import):
        for alias in tree.names:
            yield tree.lineno, alias.name
    elif isinstance(tree, ast.ImportFrom):
        for alias in tree.names:
            yield tree.lineno, f"{'.' * tree.level}{tree.module or ''}.{alias.name}"
    elif isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef)) and not everywhere:
        return
    else:
        runs = tree.orelse if isTypeChecking(tree) else ast.iter_child_nodes(tree)
        for node in runs:
            yield from importsOf(node, everywhere)


def isBelow(name: str, package: str) -> bool:
    """Is a dotted name a package or something in it?"""
    return f"{name}.".startswith(f"{package}.")


def extensionOf(module: str) -> str:
    """The folder of an extension's factory: `extensions.filters.network.echo`."""
    path = PACKAGE.joinpath(*module.split("."))
    folder = path if path.is_dir() else path.parent
    return ".".join(("extensions", *folder.relative_to(PACKAGE / "extensions").parts))


def forbidden(module: str, imported: str) -> bool:
    """May this module of ours not import that one?"""
    own = module.partition(".")[0]
    allowed = ALLOWED.get(own)
    if allowed is None:
        return False
    home = own
    if own == "extensions":
        home = "extensions.common" if isBelow(module, "extensions.common") else extensionOf(module)
    return not any(isBelow(imported, package) for package in (home, *allowed))


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Every module of twisted_envoy: name, file, tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield moduleName(path), path, ast.parse(path.read_text("utf-8"))


class FloorTests(SynchronousTestCase):
    """Imports go downward only."""

    def test_downward(self) -> None:
        """No module imports from a floor above, or from a neighbour that it may not know."""
        wrong = []
        for module, path, tree in modules():
            for line, name in importsOf(tree):
                self.assertFalse(name.startswith("."), f"{path}:{line}: a relative import")
                if isBelow(name, "twisted_envoy") and name != "twisted_envoy.__version__":
                    imported = name.partition(".")[2]
                    if forbidden(module, imported):
                        wrong.append(f"{path.relative_to(ROOT)}:{line}: {imported}")
        self.assertEqual(wrong, [])

    def test_reactor(self) -> None:
        """No module imports a reactor when it is imported."""
        wrong = [
            f"{path.relative_to(ROOT)}:{line}"
            for _, path, tree in modules()
            for line, name in importsOf(tree, everywhere=False)
            if name == "twisted.internet.reactor"
        ]
        self.assertEqual(wrong, [])

    def test_internalStandsAlone(self) -> None:
        """`internal` needs nothing but Twisted, zope.interface and the standard library."""
        for module, path, tree in modules():
            if isBelow(module, "internal"):
                for line, name in importsOf(tree):
                    self.assertNotIn(
                        name.partition(".")[0], ("google", "yaml", "h2"), f"{path}:{line}"
                    )

    def test_noCycles(self) -> None:
        """Modules can be put into an order in which each comes after what it imports."""
        graph = {
            module: {
                known
                for _, name in importsOf(tree, everywhere=False)
                if (known := self.known(name.partition(".")[2])) is not None and known != module
            }
            for module, _, tree in modules()
        }
        while free := [module for module, needs in graph.items() if not needs]:
            for module in free:
                del graph[module]
            for needs in graph.values():
                needs.difference_update(free)
        self.assertEqual(graph, {})

    def known(self, name: str) -> str | None:
        """The module that an imported name is, or is in; None for what is not ours."""
        while name:
            path = PACKAGE.joinpath(*name.split("."))
            if path.with_suffix(".py").exists() or (path / "__init__.py").exists():
                return name
            name = name.rpartition(".")[0]
        return None


class RuleTests(SynchronousTestCase):
    """The rules themselves."""

    def test_forbidden(self) -> None:
        """A few that must not be, and a few that may."""
        for module, imported in (
            ("stats.scope", "state.stream_info"),
            ("config.view", "network.chain"),
            ("network.chain", "upstream.cluster"),
            ("upstream.host", "server.build"),
            (
                "extensions.filters.network.echo.filter",
                "extensions.filters.network.tcp_proxy.filter",
            ),
            ("extensions.filters.network.echo.filter", "server.context"),
        ):
            self.assertTrue(forbidden(module, imported), (module, imported))
        for module, imported in (
            ("stats.scope", "stats.metrics"),
            ("state.addresses", "internal.address.InternalAddress"),
            ("extensions.filters.network.echo.config", "extensions.filters.network.echo.filter"),
            (
                "extensions.filters.network.set_filter_state.config",
                "extensions.common.filter_state",
            ),
            ("server.build", "extensions.transport_sockets.raw_buffer"),
        ):
            self.assertFalse(forbidden(module, imported), (module, imported))

    def test_importsOf(self) -> None:
        """What type checkers alone see is no import; what a function does is one."""
        tree = ast.parse(
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    import a\nelse:\n    import b\n"
            "def f():\n    from c import d\n"
        )
        names = [name for _, name in importsOf(tree)]
        self.assertEqual(names, ["typing.TYPE_CHECKING", "b", "c.d"])
        self.assertNotIn("c.d", [name for _, name in importsOf(tree, everywhere=False)])
