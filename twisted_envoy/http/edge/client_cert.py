"""
The header x-forwarded-client-cert: who forwarded a request, and what its certificate says.

Envoy: ConnectionManagerUtility::mutateXfccRequestHeader
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.codec.headers import HeaderMap

if TYPE_CHECKING:
    from twisted_envoy.codec.tls_info import CertificateInfo, TLSInfo

XFCC = b"x-forwarded-client-cert"


class ClientCertRules:
    """
    What becomes of the header.

    Args:
        mode: as configured: `SANITIZE`, `FORWARD_ONLY`, ...
        parts: what is told of the client's certificate: `cert`, `chain`, `subject`, ...
    """

    __slots__ = ("_mode", "_parts")

    def __init__(self, mode: str, parts: frozenset[str]) -> None:
        self._mode = mode
        self._parts = parts

    def apply(self, headers: HeaderMap, given: bytes | None, tls: TLSInfo | None) -> None:
        """
        Set or remove the header of a request; it keeps its place.

        Args:
            given: what the client sent.
        """
        mode = self._mode
        if mode == "ALWAYS_FORWARD_ONLY":
            value = given
        elif tls is None or tls.peer is None:
            value = None
        elif mode == "FORWARD_ONLY":
            value = given
        else:
            own = self._describe(tls, tls.peer).encode("utf-8", "surrogateescape")
            value = own if mode == "SANITIZE_SET" or not given else given + b"," + own
        if value is not None:
            headers.set(XFCC, value)
        elif given is not None:
            headers.remove(XFCC)

    def _describe(self, tls: TLSInfo, peer: CertificateInfo) -> str:
        parts = self._parts
        local = tls.local
        found = [f"By={name}" for name in ([] if local is None else local.names("URI"))]
        found.append(f"Hash={peer.sha256}")
        if "cert" in parts:
            found.append(f'Cert="{peer.encoded}"')
        if "chain" in parts:
            found.append(f'Chain="{"".join(each.encoded for each in tls.peerChain)}"')
        if "subject" in parts:
            found.append(f'Subject="{peer.subject}"')
        if "issuer" in parts:
            found.append(f'Issuer="{peer.issuer}"')
        if "uri" in parts:
            found += [f"URI={name}" for name in peer.names("URI")] or ["URI="]
        if "dns" in parts:
            found += [f"DNS={name}" for name in peer.names("DNS")]
        return ";".join(found)


def readClientCert(config: Any) -> ClientCertRules | None:
    """
    Read forward_client_cert_details.

    Returns:
        None: the header is removed.
    """
    mode = config.forward_client_cert_details
    details = config.set_current_client_cert_details
    if mode not in ("APPEND_FORWARD", "SANITIZE_SET"):
        if details is not None:
            config.moot("set_current_client_cert_details", "nothing is set")
        return None if mode == "SANITIZE" else ClientCertRules(mode, frozenset())
    parts = set()
    if details is not None:
        flags = {
            "cert": details.cert,
            "chain": details.chain,
            "subject": details.subject,
            "issuer": details.issuer,
            "uri": details.uri,
            "dns": details.dns,
        }
        parts = {name for name, wanted in flags.items() if wanted}
        if details.message.format == 0:
            details.format  # noqa: B018  read: TEXT is obeyed
    return ClientCertRules(mode, frozenset(parts))
