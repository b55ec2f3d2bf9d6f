"""
Versions, ciphers, curves: `TlsParameters`, with Envoy's defaults.

Envoy: ContextConfigImpl (DEFAULT_CIPHER_SUITES, DEFAULT_CURVES)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from OpenSSL import SSL

_VERSIONS = {
    "TLSv1_0": SSL.TLS1_VERSION,
    "TLSv1_1": SSL.TLS1_1_VERSION,
    "TLSv1_2": SSL.TLS1_2_VERSION,
    "TLSv1_3": SSL.TLS1_3_VERSION,
}
_CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
)
_CIPHERS_13 = b"TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
"""Envoy takes what the client likes best; this is the order of most of them."""
_GROUPS = ("X25519", "P-256")


@dataclass(frozen=True, slots=True)
class Parameters:
    """
    What a context may speak.

    Attributes:
        oldest, newest: OpenSSL's numbers of versions.
        ciphers: up to TLS 1.2, as OpenSSL's list; groups, algorithms: names, empty for the usual.
        preferClients: the client's order of ciphers counts.
    """

    oldest: int = SSL.TLS1_2_VERSION
    newest: int = SSL.TLS1_3_VERSION
    ciphers: str = _CIPHERS
    groups: tuple[str, ...] = _GROUPS
    algorithms: tuple[str, ...] = ()
    preferClients: bool = False

    def install(self, context: SSL.Context) -> None:
        """
        Have a context obey.

        Raises:
            SSL.Error: the ciphers are none of OpenSSL's.
            ValueError: its text tells which groups or algorithms are not known.
        """
        context.set_min_proto_version(self.oldest)
        context.set_max_proto_version(self.newest)
        level = "" if self.oldest >= SSL.TLS1_2_VERSION else ":@SECLEVEL=0"
        context.set_cipher_list((self.ciphers + level).encode())
        context.set_tls13_ciphersuites(_CIPHERS_13)
        if not self.preferClients:
            context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
        _set(context, "SSL_CTX_set1_curves_list", self.groups, "ECDH curves")
        if self.algorithms:
            _set(context, "SSL_CTX_set1_sigalgs_list", self.algorithms, "signature algorithms")


def _set(context: Any, function: str, names: tuple[str, ...], what: str) -> None:
    library: Any = SSL._lib  # type: ignore[attr-defined]
    text = ":".join(names)
    if not getattr(library, function)(context._context, text.encode()):
        library.ERR_clear_error()
        raise ValueError(f"Failed to initialize {what} {text}")


def readParameters(view: Any, isServer: bool, preferClients: bool = False) -> Parameters:
    """
    Read TlsParameters.

    Args:
        view: None without one.
    """
    usual = Parameters(
        newest=SSL.TLS1_3_VERSION if isServer else SSL.TLS1_2_VERSION, preferClients=preferClients
    )
    if view is None:
        return usual
    if view.compliance_policies:
        raise view.error("compliance_policies are not implemented", "compliance_policies")
    names = [re.sub(r"[\[\]]", "", name).replace("|", ":") for name in view.cipher_suites]
    return Parameters(
        _VERSIONS.get(view.tls_minimum_protocol_version, usual.oldest),
        _VERSIONS.get(view.tls_maximum_protocol_version, usual.newest),
        ":".join(names) or _CIPHERS,
        tuple(view.ecdh_curves) or _GROUPS,
        tuple(view.signature_algorithms),
        preferClients,
    )
