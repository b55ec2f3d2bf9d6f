"""Every file in configs/ does what its first comment says; every command in the docs can be run."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.programs import CONFIGS, ROOT, Program, ProgramTestCase, configText
from tests.integration.programs import freePorts as free

ANSWERS = {
    "echo.yaml": (10000, "hello\n"),
    "envoy.tac": (9999, "You said: hello\n"),
    "filters.yaml": (9998, "hello\n"),
    "internal_listener_proxy.yaml": (9999, "hello\n"),
}
"""File -> the port that it listens on, and what it answers to `hello`."""

HTTP = {"encapsulate_http_in_http2_connect.yaml", "terminate_http_in_http2_connect.yaml"}
"""Files that tests.integration.test_http_configs runs."""

ALL = sorted({*ANSWERS, *HTTP})

SAY = f"import runpy; runpy.run_path({str(ROOT / 'tools' / 'say.py')!r}, run_name='__main__')"

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "configs/*", ".ci/run")
    for path in ROOT.glob(pattern)
    if path.name != "supported.md"
)

_COMMAND = re.compile(
    r"(?:^|[\s`(/])twistd (?!command|options|plugin|envoy`)(-[^`\n]*|envoy [^`\n]*)"
)


def commands(text: str) -> list[str]:
    """The command lines of twistd in a text."""
    return [found[1] for found in _COMMAND.finditer(text)]


def firstComment(path: Path) -> str:
    """What a file says before anything else."""
    text = path.read_text("utf-8")
    if path.suffix == ".tac":
        return text.split('"""')[1]
    lines = text.splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(line[2:] for line in lines[:end])


class FileTests(ProgramTestCase):
    """The files in configs/."""

    def answer(self, name: str) -> Program:
        """Run a file with free ports, and an echo if it needs one; say hello."""
        port, expected = ANSWERS[name]
        mine, echo, admin = free(3)
        ports = {port: mine, 10000: echo, 9901: admin}
        ports = {old: new for old, new in ports.items() if f"port_value: {old}" in self.text(name)}
        ports[port] = mine
        file = self.file(configText(name, ports), name)
        if port != 10000 and 10000 in ports:
            other = self.file(configText("echo.yaml", {10000: echo}), "origin.yaml")
            self.spawn("-n", "--pidfile=", "envoy", "-c", other)
        how = ["-y"] if file.suffix == ".tac" else ["envoy", "-c"]
        program = self.spawn("-n", "--pidfile=", *how, file)
        say = self.spawn(str(mine), "hello", code=SAY)
        self.assertEqual((say.ended(), say.log()), ((0, expected), ""), program.log())
        return program

    def text(self, name: str) -> str:
        """A file's text."""
        return (CONFIGS / name).read_text("utf-8")

    def test_all(self) -> None:
        """Each file is known here."""
        self.assertEqual({path.name for path in CONFIGS.iterdir()}, set(ALL))

    def test_comments(self) -> None:
        """Each says the command that runs it."""
        for name in ALL:
            option = "-y" if name.endswith(".tac") else "envoy -c"
            command = f"twistd -n --pidfile= {option} configs/{name}"
            self.assertIn(command, firstComment(CONFIGS / name))

    def test_validate(self) -> None:
        """Each bootstrap is valid, and obeyed entirely."""
        for name in ALL:
            if name.endswith(".yaml"):
                program = self.spawn("envoy", "--mode", "validate", "-c", CONFIGS / name)
                self.assertEqual(program.ended()[0], 0, program.log())

    def test_echo(self) -> None:
        """An echo."""
        self.assertEqual(self.answer("echo.yaml").end(), (0, ""))

    def test_internalListenerProxy(self) -> None:
        """Two proxies and a hop."""
        self.assertEqual(self.answer("internal_listener_proxy.yaml").end(), (0, ""))

    def test_application(self) -> None:
        """A bootstrap in a .tac file; its end is twistd's own."""
        program = self.answer("envoy.tac")
        program.end()
        self.assertNotIn("Traceback", program.log())

    def test_filters(self) -> None:
        """The lines of the log: the hop knows the client and the color, the proxy its upstream."""
        status, out = self.answer("filters.yaml").end()
        self.assertEqual(status, 0)
        hop, proxy = sorted(out.splitlines(), key=lambda line: line.startswith("{"))
        self.assertEqual(hop, "hop for 127.0.0.1 by blue")
        self.assertRegex(
            proxy,
            r'^\{"flags":("-"|null),"milliseconds":\d+,"received":6,"sent":6,'
            r'"upstream":"envoy://hop/a"\}$',
        )


class DocumentTests(SynchronousTestCase):
    """What README, docs and configs say."""

    def test_pidfile(self) -> None:
        """Each command of twistd's that serves says --pidfile=, so that two do not clash."""
        wrong = [
            f"{path.relative_to(ROOT)}: twistd {command}"
            for path in DOCUMENTS
            for command in commands(path.read_text("utf-8"))
            if "--pidfile=" not in command and "--help" not in command
        ]
        self.assertEqual(wrong, [])

    def test_commandsAreFound(self) -> None:
        """The search finds what it is meant to find."""
        text = (
            "`twistd -n envoy -c a`, or\n    .venv/bin/twistd envoy --mode validate\ntwistd writes"
        )
        self.assertEqual(commands(text), ["-n envoy -c a", "envoy --mode validate"])
        self.assertEqual(len(commands((ROOT / "README.md").read_text("utf-8"))), 4)

    def test_links(self) -> None:
        """Each file that a document names with a link is there."""
        wrong = []
        for path in DOCUMENTS:
            if path.suffix == ".md":
                for target in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8")):
                    if "://" not in target and not (path.parent / target).exists():
                        wrong.append(f"{path.relative_to(ROOT)}: {target}")
        self.assertEqual(wrong, [])
