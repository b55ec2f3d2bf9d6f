"""What a start costs: imports, the looks of the garbage collector, memory."""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest import SkipTest

from benchmarks.side_by_side.bootstraps import Place, proxies
from benchmarks.side_by_side.certificate import makeCertificate
from tests.integration.programs import SERVING, TWISTD, ProgramTestCase, freePorts

MEMORY = 1.9
"""How many times the memory of a bare twistd that of one that serves TCP may be; it is 1.5."""

REPORT = """
import atexit, gc, json, os, sys

def memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

def report():
    seen = [name for name in sys.modules if sys.modules[name] is not None]
    said = {"modules": seen, "memory": memory(), "bare": bare, "looked": looked}
    os.write(1, json.dumps(said).encode())  # sys.stdout is the log's by now

def note(phase, found):
    if phase == "start" and "twisted_envoy" in sys.modules:
        young = range(found["generation"] + 1)
        looked.append(sum(len(gc.get_objects(generation)) for generation in young))

looked = []
import twisted.scripts.twistd
bare = memory()
gc.callbacks.append(note)
atexit.register(report)
"""


class StartTests(ProgramTestCase):
    """Programs that start as users start them."""

    def started(self, kind: str) -> dict[str, Any]:
        """What the program of a benchmark's bootstrap says of itself when it ends."""
        if not sys.platform.startswith("linux"):
            raise SkipTest("it reads Linux's /proc")
        port, second, upstream = freePorts(3)
        place = Place(port, upstream, *makeCertificate(self.folder), second)
        config = self.file(json.dumps(proxies(kind, place)[0][0]), "envoy.json")
        program = self.spawn("-n", "--pidfile=", "envoy", "-c", config, code=REPORT + TWISTD)
        self.assertTrue(program.logs(SERVING), program.log())
        status, said = program.end()
        self.assertEqual(status, 0, program.log())
        found: dict[str, Any] = json.loads(said)
        return found

    def test_importsWhatItNeeds(self) -> None:
        """A TCP proxy has no TLS, no HTTP server, no admin interface, no workers, no tracing."""
        found = self.started("tcp")

        foreign = ("OpenSSL", "cryptography", "service_identity", "h2", "hpack", "twisted.web")
        ours = ("codec.h1", "codec.h2", "server.admin", "server.workers", "server.lint")
        unwanted = (*foreign, *(f"twisted_envoy.{name}" for name in ours))
        self.assertEqual([name for name in unwanted if name in found["modules"]], [])
        self.assertLess(found["memory"], MEMORY * found["bare"])

    def test_http(self) -> None:
        """An HTTP proxy has no TLS either, and HTTP/2 is not the library's."""
        found = self.started("http")

        unwanted = ("OpenSSL", "cryptography", "service_identity", "h2", "hpack", "twisted.web")
        self.assertEqual([name for name in unwanted if name in found["modules"]], [])

    def test_tls(self) -> None:
        """Who terminates TLS needs pyOpenSSL, but not the way in which Twisted uses it."""
        found = self.started("tls")

        self.assertIn("OpenSSL", found["modules"])
        for name in ("service_identity", "twisted.internet.ssl", "twisted.protocols.tls"):
            self.assertNotIn(name, found["modules"])

    def test_collector(self) -> None:
        """The garbage collector looks at what a start makes once, not at each step."""
        found = self.started("tcp")

        many = [count for count in found["looked"] if count > 5000]
        self.assertLessEqual(len(many), 1, found["looked"])
