"""TLS contexts of listeners: what clients see, what is counted and logged."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from tests.bootstraps import echo, listener, logTo
from tests.extensions.common.tls.pki import MUST_STAPLE, Authority, inlineBytes, keyUsage
from tests.parity.support import ParityTestCase, Side, served
from tests.parity.tls_client import V12, V13, TLSPeer, clientContext
from tests.parity.tls_refusals import downstream

LOG = (
    "fail=%DOWNSTREAM_TRANSPORT_FAILURE_REASON% close=%DOWNSTREAM_LOCAL_CLOSE_REASON% "
    "detected=%DOWNSTREAM_DETECTED_CLOSE_TYPE% "
    "peer=%DOWNSTREAM_PEER_SUBJECT% flags=%RESPONSE_FLAGS% id=%DOWNSTREAM_TLS_SESSION_ID%"
)
STATS = "ssl|_cx_total"
_ID = re.compile(r"id=[0-9a-f]{64}$")
_OF_NOW = re.compile(r'"expiration": "[^"]*\.\d+Z"')
"""A staple without an end ends now."""


class PKI:
    """Everybody who is in these tests."""

    def __init__(self) -> None:
        self.staples: dict[tuple[str, int | None], bytes] = {}
        self.authority = Authority()
        self.other = Authority("other")
        issue = self.authority.issue
        self.own = issue("server.test", common="own")
        self.rsa = issue("server.test", common="rsa", kind="rsa")
        self.second = issue("second.test", "*.wild.test", common="second")
        self.must = issue("server.test", common="must", extensions=[MUST_STAPLE])
        self.client = issue("client.test", common="client")
        self.rsaClient = issue("client.test", common="rsa client", kind="rsa")
        self.expired = issue("client.test", common="late", expired=True)
        self.stranger = self.other.issue("client.test", common="stranger")
        usage = keyUsage(key_encipherment=True)
        self.enciphers = issue("server.test", common="enciphers", kind="rsa", extensions=[usage])
        self.wrong = issue("wrong.test", common="wrong name")
        for issued, days in ((self.own, 5), (self.own, -1), (self.own, None), (self.must, -1)):
            self.staples[issued.pem, days] = self.authority.respond(issued, days)


@lru_cache(maxsize=1)
def pki() -> PKI:
    """Made once."""
    return PKI()


def stapled(issued: Any, days: int | None) -> dict[str, Any]:
    """A TlsCertificate with its OCSP response."""
    return {**issued.config, "ocsp_staple": inlineBytes(pki().staples[issued.pem, days])}


def tlsListener(name: str, certificates: list[Any], /, **fields: Any) -> dict[str, Any]:
    """A listener that echoes."""
    common = {"tls_certificates": certificates, **fields.pop("common", {})}
    made = listener(
        name, "127.0.0.1:0", echo(), stat_prefix=name, access_log=logTo(f"{name}.log", LOG)
    )
    made["filter_chains"][0]["transport_socket"] = downstream(common, **fields)
    return made


class TLSTests(ParityTestCase):
    """Each listener has its own stats and its own log."""

    def setUp(self) -> None:
        """Both sides have the same certificates."""
        pki()
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        who = pki()
        own, both = who.own.config, [who.own.config, who.rsa.config]
        trusted = {"trusted_ca": {"inline_string": who.authority.pem}}
        named = [{"san_type": "DNS", "matcher": {"exact": "client.test"}}]
        asked = {"require_client_certificate": True}
        listeners = [
            tlsListener("plain", [own]),
            tlsListener("good", [stapled(who.own, 5)]),
            tlsListener("old", [stapled(who.own, -1)]),
            tlsListener("endless", [stapled(who.own, None)]),
            tlsListener("strict", [stapled(who.own, -1)], ocsp_staple_policy="STRICT_STAPLING"),
            tlsListener("strictNone", [own], ocsp_staple_policy="STRICT_STAPLING"),
            tlsListener("must", [stapled(who.must, -1)]),
            tlsListener("named", [own], require_sni=True),
            tlsListener("two", both),
            tlsListener("several", [own, who.rsa.config, who.second.config]),
            tlsListener(
                "scan",
                [who.second.config, who.rsa.config],
                full_scan_certs_on_sni_mismatch=True,
            ),
            tlsListener("first", [who.second.config, who.rsa.config]),
            tlsListener("mutual", both, common={"validation_context": trusted}, **asked),
            tlsListener(
                "byName",
                [own],
                common={"validation_context": {**trusted, "match_typed_subject_alt_names": named}},
                require_client_certificate=False,
            ),
            tlsListener("tickets", [own]),
            tlsListener("noTickets", [own], disable_stateless_session_resumption=True),
            tlsListener(
                "noSessions",
                [own],
                disable_stateless_session_resumption=True,
                disable_stateful_session_resumption=True,
            ),
            tlsListener("protocols", [own], common={"alpn_protocols": ["h2", "http/1.1"]}),
            tlsListener(
                "narrow", [own], common={"tls_params": {"tls_minimum_protocol_version": "TLSv1_3"}}
            ),
            tlsListener(
                "fips", [own], common={"tls_params": {"compliance_policies": ["FIPS_202205"]}}
            ),
        ]
        return served(listeners)

    def shake(self, name: str, *clients: dict[str, Any], lines: int | None = None) -> Any:
        """The same clients to both, one after the other."""

        def scenario(side: Side) -> list[object]:
            found = []
            for each in clients:
                options = dict(each)
                make = options.pop("context", None)
                context = None if make is None else make()
                found.append(TLSPeer(side.connect(name), context, **options).exchange())
            return found

        count = len(clients) if lines is None else lines
        log = f"{name}.log" if count else ""
        return self.same(scenario, f"^listener.{name}.({STATS})", log, count)

    def test_staples(self) -> None:
        """Good and expired ones, to clients that ask and to those that do not."""
        for name in ("good", "old", "endless", "strict", "strictNone", "must"):
            asks, silent = self.shake(name, {"staple": True}, {})
            refused = name in ("strict", "must")
            self.assertEqual("failed" in asks, refused, name)
            self.assertNotIn("failed", silent)

    def test_noName(self) -> None:
        """`require_sni` requires nothing."""
        (seen,) = self.shake("named", {"name": ""})
        self.assertEqual(seen["heard"], b"hello")

    def test_kindsOfKeys(self) -> None:
        """The client's ciphers and algorithms choose between RSA and ECDSA."""
        self.shake(
            "two",
            {"context": lambda: clientContext(newest=V12, ciphers="ECDHE-RSA-AES128-GCM-SHA256")},
            {"context": lambda: clientContext(newest=V12, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256")},
            {"context": lambda: clientContext(oldest=V13, algorithms="RSA-PSS+SHA256")},
            {"context": lambda: clientContext(oldest=V13, algorithms="ECDSA+SHA256")},
            {"context": lambda: clientContext(newest=V12, ciphers="AES128-SHA")},
            {"context": lambda: clientContext(oldest=V13, algorithms="ECDSA+SHA384")},
        )

    def test_names(self) -> None:
        """Exact, by wildcard, unknown, none."""
        names = ("server.test", "second.test", "a.wild.test", "a.b.wild.test", "nobody.test", "")
        for name in ("several", "scan", "first"):
            self.shake(name, *({"name": each} for each in names))

    def test_clients(self) -> None:
        """Good certificates, and every kind of bad one; TLS 1.2 tells during the handshake."""
        who = pki()

        def by(certificate: Any, newest: int) -> dict[str, Any]:
            return {"context": lambda: clientContext(newest=newest, certificate=certificate)}

        everybody = (who.client, who.rsaClient, who.expired, who.stranger, None)
        for version in (V12, V13):
            self.shake(
                "mutual", *(by(each, version) for each in everybody), lines=5 * (version - V12 + 1)
            )
        self.shake("byName", by(who.client, V12), by(who.wrong, V12), by(None, V12))

    def test_resumption(self) -> None:
        """With tickets, with sessions that the server keeps, with neither."""
        for name, expected in (("tickets", True), ("noTickets", True), ("noSessions", False)):

            def scenario(side: Side, name: str = name) -> list[object]:
                context = clientContext(newest=V12)
                first = TLSPeer(side.connect(name), context)
                first.exchange()
                return [TLSPeer(side.connect(name), context, session=first.session).exchange()]

            (seen,) = self.same(scenario, f"^listener.{name}.({STATS})")
            self.assertEqual(seen["resumed"], expected, name)
            lines = [side.program.lines(f"{name}.log", 2) for side in self.sides]
            ids = [[_ID.search(line) is not None for line in each] for each in lines]
            self.assertEqual(ids[0], ids[1], lines)

    def test_protocols(self) -> None:
        """The server's order counts; nothing in common is no protocol."""
        for offered in ((b"http/1.1", b"h2"), (b"http/1.1",), (b"x",), ()):
            self.shake(
                "protocols", {"context": lambda o=offered: clientContext(protocols=o)}, lines=0
            )

    def test_parameters(self) -> None:
        """Too old a client; a policy's groups and ciphers."""
        self.shake("narrow", {"context": lambda: clientContext(newest=V12)}, {})
        for groups, ciphers in (
            ("X25519", "ECDHE+AESGCM"),
            ("P-256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
            ("P-384", "ECDHE-ECDSA-CHACHA20-POLY1305"),
            ("X25519:P-384", "ECDHE+AESGCM"),
        ):
            self.shake(
                "fips",
                {
                    "context": lambda g=groups, c=ciphers: clientContext(
                        newest=V12, groups=g, ciphers=c
                    )
                },
                lines=0,
            )

    def test_noTLS(self) -> None:
        """Plaintext, garbage, and a client that goes away in the middle."""

        def scenario(side: Side) -> list[object]:
            found: list[object] = []
            for data in (
                b"GET / HTTP/1.1\r\n\r\n",
                b"\x16\x03\x01\xff\xff" + b"x" * 100,
                b"\0" * 20,
            ):
                peer = side.connect("plain")
                peer.send(data)
                found.append(peer.rest()[1])
                peer.close()
            peer = side.connect("plain")
            peer.send(b"\x16\x03\x01\x02\x00\x01\x00")
            peer.end()
            found.append(peer.rest()[1])
            return found

        self.same(scenario, "^listener.plain.ssl", "plain.log", 4)

    def test_certificates(self) -> None:
        """`/certs`, in any order."""

        def scenario(side: Side) -> list[str]:
            page = json.loads(side.program.admin("/certs"))
            texts = [json.dumps(each) for each in page["certificates"]]
            return sorted(_OF_NOW.sub("NOW", each) for each in texts)

        found = self.same(scenario)
        self.assertTrue(any("ocsp_details" in each for each in found))
