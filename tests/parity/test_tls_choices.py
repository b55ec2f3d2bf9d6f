"""Which certificate a client gets, whose certificate is taken, and what is told of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tests.bootstraps import cluster, echo, listener, logTo, tcpProxy
from tests.extensions.common.tls.pki import Authority
from tests.parity.support import ParityTestCase, Side, served
from tests.parity.test_tls import pki
from tests.parity.tls_client import V12, V13, TLSPeer, clientContext
from tests.parity.tls_refusals import downstream, upstream

LOG = (
    "fail=%DOWNSTREAM_TRANSPORT_FAILURE_REASON% peer=%DOWNSTREAM_PEER_SUBJECT% "
    "issuer=%DOWNSTREAM_PEER_ISSUER_SERIAL% %DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256% "
    "flags=%RESPONSE_FLAGS% detected=%DOWNSTREAM_DETECTED_CLOSE_TYPE%"
)
UP = "flags=%RESPONSE_FLAGS% detected=%UPSTREAM_DETECTED_CLOSE_TYPE%"
RSA_ONLY = "ECDHE-RSA-AES128-GCM-SHA256"
SOCKET = {"pipe": {"path": "mutual.sock"}}


@lru_cache(maxsize=1)
def chosen() -> tuple[Any, ...]:
    """Of an exact name one of ECDSA, of its wildcard one of RSA."""
    authority = Authority()
    return (
        authority.issue("a.x.test", common="exact"),
        authority.issue("*.x.test", common="wild", kind="rsa"),
    )


def ranges(prefix: str) -> list[dict[str, Any]]:
    """A CidrRange."""
    return [{"address_prefix": prefix, "prefix_len": 8}]


class ChoiceTests(ParityTestCase):
    """Listeners that echo, and a cluster to one of them."""

    def setUp(self) -> None:
        """Both sides have the same certificates."""
        pki()
        chosen()
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        who = pki()
        own, rsa = who.own.config, who.rsa.config
        exact, wild = (each.config for each in chosen())
        trusted = {"trusted_ca": {"inline_string": who.authority.pem}}
        untrusted = {**trusted, "trust_chain_verification": "ACCEPT_UNTRUSTED"}
        named = {"match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "n"}}]}
        asks = {"require_client_certificate": True}

        def trusting(context: dict[str, Any]) -> dict[str, Any]:
            return {"validation_context": context}

        def telling(name: str, **fields: Any) -> dict[str, Any]:
            return {"key_log": {"path": f"{name}.keys", **fields}}

        variants: dict[str, tuple[list[Any], dict[str, Any], dict[str, Any]]] = {
            "names": ([own, exact, wild], {}, {}),
            "scan": ([exact, own, rsa], {}, {"full_scan_certs_on_sni_mismatch": True}),
            "tolerant": ([own], trusting({**untrusted, **named}), asks),
            "nobody": ([own], {}, asks),
            "empty": ([own], trusting({}), asks),
            "known": ([own], trusting(trusted), asks),
            "here": ([own], telling("here", local_address_range=ranges("127.0.0.0")), {}),
            "there": ([own], telling("there", remote_address_range=ranges("10.0.0.0")), {}),
            "mutual": ([own], trusting(trusted), asks),
        }
        listeners = []
        for name, (certificates, common, fields) in variants.items():
            log = logTo(f"{name}.log", LOG)
            made = listener(name, "127.0.0.1:0", echo(), stat_prefix=name, access_log=log)
            if name == "mutual":
                made["address"] = SOCKET
            made["filter_chains"][0]["transport_socket"] = downstream(
                {"tls_certificates": certificates, **common}, **fields
            )
            listeners.append(made)
        late = cluster("late", "127.0.0.1:1")
        late["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = SOCKET
        newest = {"tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}}
        late["transport_socket"] = upstream({**newest, **trusting(trusted)})
        proxy = tcpProxy("late", "late", access_log=logTo("late.log", UP))
        return served([*listeners, listener("late", "127.0.0.1:0", proxy)], [late])

    def test_names(self) -> None:
        """With and without ECDSA; capital letters count."""

        def scenario(side: Side) -> list[object]:
            return [
                TLSPeer(
                    side.connect(each), clientContext(newest=V12, ciphers=ciphers), name=name
                ).exchange()
                for each in ("names", "scan")
                for ciphers in (RSA_ONLY, "ECDHE+AESGCM")
                for name in ("a.x.test", "b.x.test", "A.x.test", "server.test", "no.test", "")
            ]

        self.same(scenario)

    def test_clients(self) -> None:
        """What is tolerated, what is not asked for, and who is told of."""
        who = pki()
        everybody = (who.client, who.stranger, who.expired, who.rsaClient, None)
        for name in ("tolerant", "nobody", "empty", "known"):

            def scenario(side: Side, name: str = name) -> list[object]:
                return [
                    TLSPeer(
                        side.connect(name), clientContext(newest=V12, certificate=each)
                    ).exchange()
                    for each in everybody
                ]

            issuers = rf"^listener.{name}.ssl"
            log = "" if name == "tolerant" else f"{name}.log"
            self.same(scenario, issuers, log, 5)

    def test_keys(self) -> None:
        """Only of connections in the range."""

        def scenario(side: Side) -> list[int]:
            for name in ("here", "there"):
                TLSPeer(side.connect(name), clientContext(oldest=V13)).exchange()
            files = [side.program.folder / f"{name}.keys" for name in ("here", "there")]
            return [len(path.read_text().splitlines()) for path in files]

        self.assertEqual(self.same(scenario), [5, 0])

    def test_refusedLate(self) -> None:
        """In TLS 1.3 the cluster's connection is there before it is refused: it just ends."""

        def scenario(side: Side) -> object:
            peer = side.connect("late")
            return peer.rest()

        self.assertEqual(self.same(scenario, "", "late.log"), [b"", "FIN"])
