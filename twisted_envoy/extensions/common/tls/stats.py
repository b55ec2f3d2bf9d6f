"""The counters of `<listener or cluster>.ssl.*`."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from typing import TYPE_CHECKING

from twisted_envoy.codec.tls_errors import TLSProblem
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope

if TYPE_CHECKING:
    from twisted_envoy.codec.tls_info import TLSInfo

_NEVER = 2**63 - 1
"""Seconds, as Envoy has it."""


_OF_NOTHING = hashlib.sha256(b"").hexdigest()[:8]


class TLSStats:
    """
    Of one listener or cluster.

    Args:
        scope: with its prefix, `ssl.` included.
    """

    connection_error: Counter
    fail_verify_cert_hash: Counter
    fail_verify_error: Counter
    fail_verify_no_cert: Counter
    fail_verify_san: Counter
    handshake: Counter
    no_certificate: Counter
    ocsp_staple_failed: Counter
    ocsp_staple_omitted: Counter
    ocsp_staple_requests: Counter
    ocsp_staple_responses: Counter
    session_reused: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)
        self._scope = scope
        self._agreed: dict[Hashable, tuple[Counter, ...]] = {}

    def expires(self, kind: str, name: str, seconds: int) -> None:
        """
        When a certificate expires; of several without names the last one is told, as in Envoy.

        Args:
            kind: `cert` or `ca_cert`. name: of its secret; "" without one.
        """
        named = name or f"unnamed_{kind}_{_OF_NOTHING}"
        gauge = self._scope.gauge(f"certificate.{named}.expiration_unix_time_seconds")
        gauge.value = seconds

    def neverExpires(self) -> None:
        """Certificates are looked at, but nobody is trusted."""
        gauge = self._scope.gauge("certificate.unnamed_ca_cert.expiration_unix_time_seconds")
        gauge.value = _NEVER

    def opened(self, info: TLSInfo) -> None:
        """A handshake is done."""
        self.handshake.value += 1
        if info.isResumed:
            self.session_reused.value += 1
        if info.peer is None:
            self.no_certificate.value += 1
        counters = self._agreed.get(info.agreed)
        if counters is None:
            names = (info.cipher, info.version, info.group, info.signature)
            counters = self._agreed[info.agreed] = self._countersOf(names)
        for counter in counters:
            counter.value += 1

    def _countersOf(self, agreed: tuple[str, ...]) -> tuple[Counter, ...]:
        named = zip(("ciphers", "versions", "curves", "sigalgs"), agreed, strict=True)
        return tuple(self._scope.counter(f"{kind}.{name}") for kind, name in named if name)

    def failed(self, problem: TLSProblem) -> None:
        """A connection cannot go on; a refused certificate is counted by who refused it."""
        if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in problem.reasons:
            self.fail_verify_no_cert.value += 1
        elif problem.reasons and "CERTIFICATE_VERIFY_FAILED" not in problem.reasons:
            self.connection_error.value += 1
