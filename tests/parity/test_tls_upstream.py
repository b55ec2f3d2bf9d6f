"""TLS to hosts: whom a cluster trusts, what it offers, and how it tells what went wrong."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.bootstraps import INTERNAL, addressOf, cluster, echo, listener, logTo, tcpProxy
from tests.parity.peers import Peer, Served
from tests.parity.peers import echo as echoOrigin
from tests.parity.support import ParityTestCase, Side, served
from tests.parity.test_tls import pki
from tests.parity.tls_refusals import downstream, upstream

LOG = (
    "up=%UPSTREAM_TRANSPORT_FAILURE_REASON% flags=%RESPONSE_FLAGS% "
    "version=%UPSTREAM_TLS_VERSION% peer=%UPSTREAM_PEER_SUBJECT% sans=%UPSTREAM_PEER_DNS_SAN% "
    "local=%UPSTREAM_LOCAL_DNS_SAN%"
)
SEEN = (
    "sni=%REQUESTED_SERVER_NAME% version=%DOWNSTREAM_TLS_VERSION% peer=%DOWNSTREAM_PEER_SUBJECT% "
    "fail=%DOWNSTREAM_TRANSPORT_FAILURE_REASON%"
)


def silent(peer: Peer) -> object:
    """Takes what comes and closes, as a server that knows no TLS."""
    peer.some()
    peer.close()
    return None


def resetting(peer: Peer) -> object:
    """Takes a hello and is gone."""
    peer.some()
    peer.reset()
    return None


def garbling(peer: Peer) -> object:
    """Answers a hello with something else."""
    peer.some()
    peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    peer.rest()
    return None


class UpstreamTests(ParityTestCase):
    """Each cluster has a listener of its name; servers are listeners of the same program."""

    origins: ClassVar[dict[str, Served | None]] = {
        "plain": echoOrigin,
        "silent": silent,
        "garbling": garbling,
        "resetting": resetting,
    }

    def setUp(self) -> None:
        """Both sides have the same certificates."""
        pki()
        super().setUp()

    @classmethod
    def text(cls, ports: dict[str, int]) -> str:
        who = pki()
        trusts = {"trusted_ca": {"inline_string": who.authority.pem}}
        stranger = {"trusted_ca": {"inline_string": who.other.pem}}
        name = {"san_type": "DNS", "matcher": {"exact": "server.test"}}
        wrong = {"san_type": "DNS", "matcher": {"exact": "no.test"}}
        own = {"tls_certificates": [who.client.config]}

        def checking(**fields: Any) -> dict[str, Any]:
            return {"validation_context": fields}

        servers = {
            "server": {"tls_certificates": [who.own.config]},
            "late": {"tls_certificates": [who.expired.config]},
            "mutual": {"tls_certificates": [who.own.config], **checking(**trusts)},
            "new": {
                "tls_certificates": [who.own.config],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_3"},
            },
            "encipher": {"tls_certificates": [who.enciphers.config]},
        }
        clusters: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
            "trusting": ("server", {}, {}),
            "verifying": ("server", checking(**trusts), {"sni": "server.test"}),
            "named": ("server", checking(**trusts, match_typed_subject_alt_names=[name]), {}),
            "misnamed": ("server", checking(**trusts, match_typed_subject_alt_names=[wrong]), {}),
            "autoNamed": (
                "server",
                checking(**trusts),
                {"sni": "server.test", "auto_sni_san_validation": True},
            ),
            "autoMisnamed": (
                "server",
                checking(**trusts),
                {"sni": "no.test", "auto_sni_san_validation": True},
            ),
            "untrusting": ("server", checking(**stranger), {}),
            "tolerating": (
                "server",
                checking(**stranger, trust_chain_verification="ACCEPT_UNTRUSTED"),
                {},
            ),
            "pinned": ("server", checking(verify_certificate_hash=["ab" * 32]), {}),
            "tooLate": ("late", checking(**trusts), {}),
            "neverTooLate": ("late", checking(**trusts, allow_expired_certificate=True), {}),
            "certified": ("mutual", own, {}),
            "anonymous": ("mutual", {}, {}),
            "tooOld": ("new", {}, {}),
            "newest": ("new", {"tls_params": {"tls_maximum_protocol_version": "TLSv1_3"}}, {}),
            "usage": ("encipher", {}, {}),
            "toPlain": ("plain", {}, {}),
            "toSilent": ("silent", {}, {}),
            "toGarbling": ("garbling", {}, {}),
            "toResetting": ("resetting", {}, {}),
        }
        listeners = [
            listener(f"tls {server}", "internal:", echo(), access_log=logTo(f"{server}.log", SEEN))
            for server in servers
        ]
        for made, (server, common) in zip(listeners, servers.items(), strict=True):
            made["stat_prefix"] = server
            made["filter_chains"][0]["transport_socket"] = downstream(
                common, require_client_certificate=server == "mutual"
            )
        built = []
        for each, (target, common, fields) in clusters.items():
            host = f"127.0.0.1:{ports[target]}" if target in ports else "127.0.0.1:1"
            made = cluster(each, host)
            if target not in ports:
                endpoint = {"address": addressOf(f"internal:tls {target}")}
                hosts = [{"lb_endpoints": [{"endpoint": endpoint}]}]
                made["load_assignment"]["endpoints"] = hosts
            made["transport_socket"] = upstream(common, **fields)
            built.append(made)
            log = logTo(f"{each}.up.log", LOG)
            listeners.append(listener(each, "127.0.0.1:0", tcpProxy(each, each, access_log=log)))
        return served(listeners, built, bootstrap_extensions=[INTERNAL])

    def try_(self, name: str) -> Any:
        """One connection through a cluster."""

        def scenario(side: Side) -> object:
            peer = side.connect(name)
            try:
                peer.send(b"hello")
                heard = peer.receive(5)
            except ConnectionError:
                heard = b"reset"
            peer.close()
            return heard in (b"hello",)

        # Which of the ciphers of TLS 1.3 it is, is the server's to say: docs/differences.md.
        stats = rf"^cluster\.{name}\.(ssl\.(?!ciphers.TLS)|upstream_cx_connect_fail)"
        return self.same(scenario, stats, f"{name}.up.log")

    def test_good(self) -> None:
        """Servers that are what was asked for."""
        for name in (
            *("trusting", "verifying", "named", "autoNamed", "tolerating", "neverTooLate"),
            *("certified", "newest"),
        ):
            self.assertTrue(self.try_(name), name)

    def test_bad(self) -> None:
        """Servers that are not, or that want something else."""
        for name in (
            *("misnamed", "autoMisnamed", "untrusting", "pinned", "tooLate", "anonymous"),
            *("tooOld", "usage"),
        ):
            self.assertFalse(self.try_(name), name)

    def test_noTLS(self) -> None:
        """Servers that speak something else."""
        for name in ("toPlain", "toSilent", "toGarbling", "toResetting"):
            self.assertFalse(self.try_(name), name)
