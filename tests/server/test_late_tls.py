"""Tests for `twisted_envoy.server.late_tls`: processes of their own, for this one has it all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.side_by_side.certificate import makeCertificate
from twisted_envoy.server import late_tls


def run(code: str, *arguments: str) -> list[str]:
    """The words that a new Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(late_tls.__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class DeferTests(SynchronousTestCase):
    """What is imported, and when."""

    def test_notImported(self) -> None:
        """A reactor is imported without pyOpenSSL, and says that it knows TLS."""
        self.assertEqual(run(_IMPORTED), ["[]", "True", "True", "True"])

    def test_reactorTLS(self) -> None:
        """The reactor's own TLS, and startTLS, work when they are asked for."""
        folder = Path(self.mktemp())
        folder.mkdir()

        said = run(_SERVED, *makeCertificate(folder))

        self.assertEqual(said, ["over", "TLS", "and", "started"])

    def test_another(self) -> None:
        """A Twisted whose transports need more of it when they are imported gets all of it."""
        self.assertEqual(run(_ANOTHER), ["True", "True"])

    def test_late(self) -> None:
        """What has been imported before stays."""
        self.assertEqual(run(_LATE), ["True", "True"])

    def test_withoutPyOpenSSL(self) -> None:
        """Where there is none, a reactor has no TLS, as ever."""
        self.assertEqual(run(_WITHOUT), ["False", "[]"])


_NAMES = """
import sys
from twisted_envoy.server.late_tls import deferTLS

def there():
    wanted = ("OpenSSL", "cryptography", "service_identity", "twisted.protocols.tls")
    wanted += ("twisted.internet.ssl",)
    return [name for name in wanted if name in sys.modules]
"""

_IMPORTED = (
    _NAMES
    + """
deferTLS()
from twisted.internet import interfaces, reactor, tcp
print(there())
print(interfaces.IReactorSSL.providedBy(reactor))
print(interfaces.ITLSTransport.implementedBy(tcp.Server))
from twisted.internet import ssl
from twisted.protocols import tls
print(issubclass(ssl.Client, tcp.Client) and isinstance(tls.TLSMemoryBIOFactory, type))
"""
)

_SERVED = (
    _NAMES
    + """
deferTLS()
from twisted.internet import reactor
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory
assert not there()

certificate, key = sys.argv[1:]

def server():
    from twisted.internet.ssl import DefaultOpenSSLContextFactory
    return DefaultOpenSSLContextFactory(key, certificate)

def client():
    from twisted.internet.ssl import CertificateOptions
    return CertificateOptions()

class Says(Protocol):
    def connectionMade(self):
        if self.factory.text is not None:
            self.transport.write(self.factory.text)
            self.transport.loseConnection()

class Upgrades(Says):
    def connectionMade(self):
        pass

    def dataReceived(self, data):
        self.transport.write(b"!")
        self.transport.startTLS(server())
        super().connectionMade()

class Hears(Protocol):
    got = b""

    def connectionMade(self):
        self.transport.write(b"?")

    def dataReceived(self, data):
        if data == b"!":
            self.transport.startTLS(client())
        else:
            self.got += data

    def connectionLost(self, reason):
        print(self.got.decode())
        self.factory.done()

def factory(kind, made, **fields):
    found = made()
    found.protocol = kind
    vars(found).update(fields)
    return found

def second():
    port = reactor.listenTCP(
        0, factory(Upgrades, ServerFactory, text=b"and started"), interface="127.0.0.1"
    )
    reactor.connectTCP(
        "127.0.0.1", port.getHost().port, factory(Hears, ClientFactory, done=reactor.stop)
    )

port = reactor.listenSSL(
    0, factory(Says, ServerFactory, text=b"over TLS"), server(), interface="127.0.0.1"
)
reactor.connectSSL(
    "127.0.0.1", port.getHost().port, factory(Hears, ClientFactory, done=second), client()
)
reactor.callLater(30, reactor.stop)
reactor.run()
"""
)

_ANOTHER = (
    _NAMES
    + """
from twisted_envoy.server import late_tls
late_tls._FACTORY = "no transport wants this"
deferTLS()
from twisted.internet import interfaces, reactor, tcp
print(interfaces.ITLSTransport.implementedBy(tcp.Server))
print("OpenSSL" in there())
"""
)

_LATE = (
    _NAMES
    + """
from twisted.internet import reactor, tcp, posixbase
from twisted.protocols import tls
deferTLS()
print(sys.modules["twisted.protocols.tls"] is tls is posixbase.tls)
print("OpenSSL" in there())
"""
)

_WITHOUT = (
    _NAMES
    + """
class Hiding:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "OpenSSL":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hiding)
from twisted_envoy.server import late_tls
late_tls.find_spec = lambda name: None  # that of the import system does not raise
deferTLS()
from twisted.internet import interfaces, reactor
print(interfaces.IReactorSSL.providedBy(reactor))
print(there())
"""
)
