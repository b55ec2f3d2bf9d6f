"""
Versions, ciphers, curves: `TlsParameters`, with Envoy's defaults.

Envoy: ContextConfigImpl (DEFAULT_CIPHER_SUITES, DEFAULT_CURVES)
"""

from __future__ import annotations

import re
from typing import Any

from OpenSSL import SSL

from twisted_envoy.extensions.common.tls.compliance import POLICIES
from twisted_envoy.values import dataclass

_VERSIONS = {
    "TLSv1_0": SSL.TLS1_VERSION,
    "TLSv1_1": SSL.TLS1_1_VERSION,
    "TLSv1_2": SSL.TLS1_2_VERSION,
    "TLSv1_3": SSL.TLS1_3_VERSION,
}
_CIPHERS = (
    "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"
    "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
)
_CIPHERS_13 = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
"""A server takes what the client likes best in Envoy; this is the order of most of them."""
_OFFERED_13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
"""A client's."""
_GROUPS = ("X25519MLKEM768", "X25519", "P-256")
_OLD_GROUPS = _GROUPS[1:]
"""What an OpenSSL before 3.5 knows of them."""

_SET_GROUPS = "SSL_CTX_set1_curves_list"
_PRIORITIZE_CHACHA = 1 << 21
"""A client that likes ChaCha20 best, as those without AES in hardware do, gets it."""
_CHACHA_GROUP = re.compile(r"\[[^]]*CHACHA20")
_GROUPED = re.compile(r"[\[\]]")
_CIPHER_NAMES = re.compile(r"[^][|:+!-][^][|:+!]*")


@dataclass(frozen=True, slots=True)
class Parameters:
    """
    What a context may speak.

    Attributes:
        oldest, newest: OpenSSL's numbers of versions.
        ciphers: up to TLS 1.2, as written, where `[a|b]` is a before b; newCiphers: of TLS 1.3.
        groups, algorithms: names, empty for the usual.
        preferClients: the client's order of ciphers counts.
    """

    oldest: int = SSL.TLS1_2_VERSION
    newest: int = SSL.TLS1_3_VERSION
    ciphers: str = _CIPHERS
    newCiphers: str = _CIPHERS_13
    groups: tuple[str, ...] = _GROUPS
    algorithms: tuple[str, ...] = ()
    preferClients: bool = False

    def install(self, context: SSL.Context) -> None:
        """
        Have a context obey.

        Raises:
            ValueError: its text tells which ciphers, groups or algorithms are not known.
        """
        context.set_min_proto_version(self.oldest)
        context.set_max_proto_version(self.newest)
        level = "" if self.oldest >= SSL.TLS1_2_VERSION else ":@SECLEVEL=0"
        self._checkCiphers(context)
        names = _GROUPED.sub("", self.ciphers).replace("|", ":")
        context.set_cipher_list((names + level).encode())
        context.set_tls13_ciphersuites(self.newCiphers.encode())
        if not self.preferClients:
            context.set_options(SSL.OP_CIPHER_SERVER_PREFERENCE)
        if _CHACHA_GROUP.search(self.ciphers):
            context.set_options(_PRIORITIZE_CHACHA)
        groups = self.groups
        if groups == _GROUPS and not _isSet(context, _SET_GROUPS, groups):
            groups = _OLD_GROUPS
        if not _isSet(context, _SET_GROUPS, groups):
            raise ValueError(f"Failed to initialize ECDH curves {':'.join(groups)}")
        signing = self.algorithms
        if signing and not _isSet(context, "SSL_CTX_set1_sigalgs_list", signing):
            raise ValueError(f"Failed to initialize TLS signature algorithms {':'.join(signing)}")

    def _checkCiphers(self, context: SSL.Context) -> None:
        """OpenSSL passes over a cipher that it does not know; that is a mistake all the same."""
        if self.ciphers == _CIPHERS:
            return
        unknown = [name for name in _CIPHER_NAMES.findall(self.ciphers) if not _has(context, name)]
        if unknown:
            raise ValueError(
                f"Failed to initialize cipher suites {self.ciphers}. The following ciphers were "
                f"rejected when tried individually: {', '.join(unknown)}"
            )


def _has(context: SSL.Context, cipher: str) -> bool:
    try:
        context.set_cipher_list(cipher.encode())
    except SSL.Error:
        return False
    return True


def _isSet(context: Any, function: str, names: tuple[str, ...]) -> bool:
    library: Any = SSL._lib  # type: ignore[attr-defined]
    if getattr(library, function)(context._context, ":".join(names).encode()):
        return True
    library.ERR_clear_error()
    return False


def readParameters(view: Any, isServer: bool, preferClients: bool = False) -> Parameters:
    """
    Read TlsParameters.

    Args:
        view: None without one.
    """
    usual = Parameters(
        newest=SSL.TLS1_3_VERSION if isServer else SSL.TLS1_2_VERSION,
        newCiphers=_CIPHERS_13 if isServer else _OFFERED_13,
        preferClients=preferClients,
    )
    if view is None:
        return usual
    asked = Parameters(
        _VERSIONS.get(view.tls_minimum_protocol_version, usual.oldest),
        _VERSIONS.get(view.tls_maximum_protocol_version, usual.newest),
        ":".join(view.cipher_suites) or _CIPHERS,
        usual.newCiphers,
        groups=tuple(view.ecdh_curves) or _GROUPS,
        algorithms=tuple(view.signature_algorithms),
        preferClients=preferClients,
    )
    for name in view.compliance_policies:
        asked = _underPolicy(name, preferClients)
    return asked


def _underPolicy(name: str, preferClients: bool) -> Parameters:
    policy = POLICIES[name]
    return Parameters(
        SSL.TLS1_3_VERSION if policy.onlyNewest else SSL.TLS1_2_VERSION,
        SSL.TLS1_3_VERSION,
        policy.ciphers,
        policy.newCiphers,
        policy.groups,
        policy.algorithms,
        preferClients,
    )
