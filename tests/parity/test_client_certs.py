"""x-forwarded-client-cert: what it says, and where among the headers it stands."""

from __future__ import annotations

from typing import ClassVar

from OpenSSL import SSL

from tests.bootstraps import cluster
from tests.parity.managers import manager, route
from tests.parity.peers import Peer, Served
from tests.parity.support import ParityTestCase, Side, served
from tests.parity.test_tls import pki
from tests.parity.tls_client import TLSPeer, clientContext
from tests.parity.tls_refusals import downstream

MODES = ("SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY")
REQUESTS = (
    b"GET / HTTP/1.1\r\nconnection: close\r\nhost: h\r\nx-a: 1\r\n"
    b"X-Forwarded-Client-Cert: By=x\r\nx-b: 2\r\n\r\n",
    b"GET / HTTP/1.1\r\nconnection: close\r\nx-forwarded-client-cert: a\r\nhost: h\r\nx-a: 1\r\n"
    b"x-forwarded-client-cert: b\r\nx-b: 2\r\n\r\n",
    b"GET / HTTP/1.1\r\nconnection: close\r\nhost: h\r\nx-a: 1\r\n\r\n",
)


def told(peer: Peer) -> object:
    """Sends the lines of the request's head back as a body."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = peer.some()
        if not more:
            return None
        head += more
    names = [line for line in head.split(b"\r\n") if b"request-id" not in line]
    body = b"|".join(names)
    size = b"%d" % len(body)
    peer.send(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: " + size + b"\r\n\r\n" + body
    )
    return None


class ClientCertTests(ParityTestCase):
    """A listener for each mode."""

    origins: ClassVar[dict[str, Served | None]] = {"origin": told}

    def setUp(self) -> None:
        """Both sides have the same certificates."""
        pki()
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        who = pki()
        trusts = {"trusted_ca": {"inline_string": who.authority.pem}}
        common = {"tls_certificates": [who.own.config], "validation_context": trusts}
        listeners = []
        for mode in MODES:
            made = manager(
                mode,
                [route()],
                forward_client_cert_details=mode,
                set_current_client_cert_details={"subject": True, "dns": True, "uri": True},
            )
            made["filter_chains"][0]["transport_socket"] = downstream(
                common, require_client_certificate=False
            )
            listeners.append(made)
        return served(listeners, [cluster("origin", f"127.0.0.1:{ports['origin']}")])

    def ask(self, side: Side, mode: str, request: bytes, context: SSL.Context) -> list[bytes]:
        """The lines that the origin got."""
        client = TLSPeer(side.connect(mode), context)
        client.shake()
        body = client.talk(request).partition(b"\r\n\r\n")[2]
        return body.split(b"|")

    def test_modes(self) -> None:
        """With a certificate and without one."""
        for certificate in (pki().client, None):
            context = clientContext(certificate=certificate)

            def scenario(side: Side, context: SSL.Context = context) -> object:
                return {
                    f"{mode} {index}": self.ask(side, mode, request, context)
                    for mode in MODES
                    for index, request in enumerate(REQUESTS)
                }

            self.same(scenario)
