"""Two workers: what the admin interface says of them, and what it does to both."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import cluster, echo, listener, tcpProxy
from tests.parity.programs import MISSING, Program, findEnvoy, ourCommand, until
from tests.parity.support import served

COUNT = 12
PATIENCE = 20
SHOWN = re.compile(
    r"^(listener\.(?!admin)|listener_manager\.|cluster\.|cluster_manager\.|server\.worker_\d"
    r"|server\.concurrency|tcp\.)"
)
OWN = re.compile(r"connections_accepted_per_socket_event|clusters_inflated|upstream_cx_\w+_ms")


def values(program: Program) -> dict[str, str]:
    """All of the stats that are compared, with the port that was chosen taken out."""
    lines = program.admin("/stats").splitlines()
    pairs = (line.partition(": ")[::2] for line in lines)
    return {name: value for name, value in pairs if SHOWN.search(name) and not OWN.search(name)}


class WorkersTests(SynchronousTestCase):
    """Real Envoy and twisted_envoy with --concurrency 2."""

    skip = MISSING

    def setUp(self) -> None:
        text = served(
            [
                listener("echo", "127.0.0.1:0", echo(), stat_prefix="echo"),
                listener("tcp", "127.0.0.1:0", tcpProxy(), stat_prefix="tcp"),
            ],
            [cluster("origin", "127.0.0.1:1")],  # of several, chance chooses the first
        )
        theirs = [findEnvoy() or "", "--disable-hot-restart"]
        self.programs = []
        for name, command in (("theirs", theirs), ("ours", ourCommand())):
            folder = Path(self.mktemp()).resolve() / name
            self.programs.append(Program([*command, "--concurrency", "2"], folder, text))
            self.addCleanup(self.programs[-1].stop)

    def use(self, program: Program) -> None:
        """Connections, one after another, to both listeners."""
        for _ in range(COUNT):
            with socket.create_connection(("127.0.0.1", program.port("echo")), PATIENCE) as client:
                client.sendall(b"hello")
                self.assertEqual(client.recv(5), b"hello")
        with socket.create_connection(("127.0.0.1", program.port("tcp")), PATIENCE) as client:
            client.recv(1)

    def test_life(self) -> None:
        """Stats, hosts and states are those of one server; draining closes all sockets."""
        theirs, ours = self.programs
        for program in self.programs:
            self.use(program)
        self.settled()
        self.workers()
        for path in ("/clusters", "/server_info"):
            self.assertEqual(self.words(ours, path), self.words(theirs, path), path)
        for program in self.programs:
            self.assertEqual(program.admin("/healthcheck/fail", "POST"), "OK\n")
            self.assertEqual(program.admin("/ready"), "503 DRAINING\n")
            self.assertEqual(program.admin("/drain_listeners", "POST"), "OK\n")
            until(lambda program=program: self.refused(program.port("echo")))

    def settled(self) -> None:
        """The same names and values, but of what each worker has got."""
        seen: tuple[dict[str, str], dict[str, str]] = ({}, {})
        each = re.compile(r"\.worker_\d\.|_ms$")

        def nonzero(found: dict[str, str], name: str) -> bool:
            return found[name] != "0" and not each.search(name)

        def same() -> bool | None:
            nonlocal seen
            theirs, ours = map(values, self.programs)
            seen = (
                {name: theirs[name] for name in theirs if nonzero(theirs, name)},
                {name: ours[name] for name in ours if nonzero(ours, name)},
            )
            return True if seen[0] == seen[1] else None

        try:
            until(same, 5.0)
        except AssertionError:
            ours, theirs = (set(one.items()) for one in reversed(seen))
            self.assertEqual(sorted(ours - theirs), sorted(theirs - ours))

    def workers(self) -> None:
        """Workers' own names are the same, and what they have got adds up."""
        theirs, ours = map(values, self.programs)
        names = [[name for name in one if ".worker_" in name] for one in (ours, theirs)]
        self.assertEqual(*map(sorted, names))
        for found in (ours, theirs):
            got = [int(found[f"listener.echo.worker_{one}.downstream_cx_total"]) for one in (0, 1)]
            self.assertEqual(sum(got), COUNT)

    def words(self, program: Program, path: str) -> object:
        """What can be compared of a page."""
        text = program.admin(path)
        if path == "/clusters":
            return sorted(line for line in text.splitlines() if "::rq_" not in line)
        info = json.loads(text)
        return info["state"], info["command_line_options"]["concurrency"]

    def refused(self, port: int) -> bool | None:
        """Does nobody listen there?"""
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except ConnectionRefusedError:
            return True
        return None
