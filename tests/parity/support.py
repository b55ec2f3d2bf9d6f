"""What the parity tests share: two programs, and one question to both."""

from __future__ import annotations

import atexit
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import bootstrap
from tests.parity.peers import Origin, Peer, Served, connect
from tests.parity.programs import MISSING, Program, ourCommand, theirCommand, until

ADMIN = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
LOG = (
    "%ACCESS_LOG_TYPE% flags=%RESPONSE_FLAGS% rx=%BYTES_RECEIVED% tx=%BYTES_SENT% "
    "up=%UPSTREAM_HOST% cluster=%UPSTREAM_CLUSTER% fail=%UPSTREAM_TRANSPORT_FAILURE_REASON% "
    "close=%DOWNSTREAM_LOCAL_CLOSE_REASON%,%UPSTREAM_LOCAL_CLOSE_REASON% "
    "detected=%DOWNSTREAM_DETECTED_CLOSE_TYPE%,%UPSTREAM_DETECTED_CLOSE_TYPE% "
    "attempts=%UPSTREAM_REQUEST_ATTEMPT_COUNT% local=%DOWNSTREAM_LOCAL_ADDRESS% "
    "wire=%UPSTREAM_WIRE_BYTES_SENT%/%UPSTREAM_WIRE_BYTES_RECEIVED%"
)
_PORT = re.compile(r"(127\.0\.0\.1[:_])\d+")


def scrubbed(value: Any) -> Any:
    """The same with ports left out."""
    if isinstance(value, str):
        return _PORT.sub(r"\1PORT", value)
    if isinstance(value, dict):
        return {scrubbed(key): scrubbed(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [scrubbed(one) for one in value]
    return value


def differences(theirs: Any, ours: Any, where: str = "") -> list[tuple[str, Any, Any]]:
    """Where two results differ: (path, real Envoy's, ours)."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = sorted({*theirs, *ours}, key=str)
        pairs = [(str(key), theirs.get(key), ours.get(key)) for key in keys]
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = [(str(at), *both) for at, both in enumerate(zip(theirs, ours, strict=True))]
    else:
        return [] if theirs == ours else [(where, theirs, ours)]
    return [found for key, *both in pairs for found in differences(*both, f"{where}/{key}")]


class Side:
    """
    One program with origins of its own.

    Args:
        origins: name -> what it does, None for a port that refuses.
        text: makes the bootstrap of the origins' ports.
    """

    def __init__(
        self,
        command: list[str],
        folder: Path,
        origins: dict[str, Served | None],
        text: Callable[[dict[str, int]], str],
    ) -> None:
        self.origins = {name: Origin(serve) for name, serve in origins.items()}
        ports = {name: origin.port for name, origin in self.origins.items()}
        try:
            self.program = Program(command, folder, text(ports))
        except BaseException:
            self._closeOrigins()
            raise

    def connect(self, listener: str) -> Peer:
        """A client of a listener."""
        return connect(self.program.port(listener))

    def seen(self, origin: str, count: int) -> list[object]:
        """So many things that an origin saw."""
        events = self.origins[origin].seen
        return until(lambda: list(events) if len(events) >= count else None)

    def stop(self) -> int:
        """The program's status."""
        status = self.program.stop()
        self._closeOrigins()
        return status

    def _closeOrigins(self) -> None:
        for origin in self.origins.values():
            origin.close()


class Running:
    """The programs of one class of tests: trial knows nothing that is done once per class."""

    def __init__(self) -> None:
        self.owner: type[ParityTestCase] | None = None
        self.sides: list[Side] = []
        atexit.register(self.stop)

    def start(self, owner: type[ParityTestCase], folder: Path) -> None:
        """Stop those of the class before; start both for another, in a folder."""
        self.stop()
        commands = {"envoy": theirCommand(), "ours": ourCommand()}
        with ThreadPoolExecutor(2) as pool:
            starting = [
                pool.submit(Side, command, folder / name, owner.origins, owner.text)
                for name, command in commands.items()
            ]
        try:
            for side in starting:
                self.sides.append(side.result())
        except BaseException:
            for side in starting:
                if side.exception() is None:
                    side.result().stop()
            self.sides.clear()
            raise
        self.owner = owner

    def stop(self) -> None:
        """Stop what runs."""
        self.owner = None
        sides, self.sides = self.sides, []
        for side in sides:
            side.program.end()
        for side in sides:
            side.stop()


RUNNING = Running()
SETTLING = 5.0


class ParityTestCase(SynchronousTestCase):
    """Runs both programs once for all tests of the class."""

    skip = MISSING
    origins: ClassVar[dict[str, Served | None]] = {}

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        """The bootstrap, for origins on these ports."""
        raise NotImplementedError

    def setUp(self) -> None:
        """Start both, unless they serve this class already."""
        if RUNNING.owner is not type(self):
            RUNNING.start(type(self), Path(self.mktemp()).resolve())
        self.sides = RUNNING.sides

    def same(
        self,
        scenario: Callable[[Side], Any],
        stats: str = "",
        log: str = "",
        lines: int = 1,
    ) -> Any:
        """
        Do the same to both, in threads of their own, and compare what came of it.

        Args:
            scenario: returns what its clients and origins saw.
            stats: a pattern of names; those that are not 0 are compared. The last events of
                either side may be late: they have SETTLING seconds to become the same.
            log: the name of an access log of which so many lines are compared.
        Returns:
            What the scenario returned.
        """

        def answered(side: Side) -> Any:
            result: dict[str, Any] = {"scenario": scenario(side)}
            if stats:
                result["stats"] = side.program.stats(stats)
            if log:
                result["log"] = sorted(scrubbed(side.program.lines(log, lines)))
            return scrubbed(result)

        with ThreadPoolExecutor(2) as pool:
            theirs, ours = pool.map(answered, self.sides)
        found = differences(theirs, ours)
        end = time.monotonic() + SETTLING
        while found and stats and time.monotonic() < end:
            for side, result in zip(self.sides, (theirs, ours), strict=True):
                result["stats"] = scrubbed(side.program.stats(stats))
            found = differences(theirs, ours)
        if found:
            shown = [
                f"{where}\n  Envoy: {one!r}\n  ours:  {other!r}" for where, one, other in found
            ]
            self.fail("\n" + "\n".join(shown))
        return theirs["scenario"]


def served(
    listeners: list[dict[str, Any]], clusters: list[dict[str, Any]] | None = None, **fields: Any
) -> str:
    """A bootstrap with an admin interface on a free port."""
    return bootstrap(listeners, clusters, admin=ADMIN, **fields)
