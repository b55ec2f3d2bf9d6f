"""
What `/certs` tells of one context: an `admin.v3.Certificate`, as JSON has it.

Envoy: ContextImpl::getCaCertInformation, getCertChainInformation
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from cryptography import x509

from twisted_envoy.codec.tls_info import CertificateInfo
from twisted_envoy.extensions.common.tls.certificate import Certificate
from twisted_envoy.extensions.common.tls.staple import Staple
from twisted_envoy.extensions.common.tls.verifier import Verifier

_KINDS = (
    (x509.DNSName, "dns"),
    (x509.UniformResourceIdentifier, "uri"),
    (x509.IPAddress, "ip_address"),
)


def shownCertificates(
    verifier: Verifier, certificates: Sequence[Certificate], now: datetime
) -> dict[str, object]:
    """
    Who is trusted, and what is shown to peers: of each chain the first certificate.

    Args:
        now: of the day from which days are counted, with a time zone.
    """
    return {
        "ca_cert": [
            _details(each, verifier.path, now, names=False) for each in verifier.authorities or ()
        ],
        "cert_chain": [_details(each.leaf, each.path, now, each.staple) for each in certificates],
    }


def _details(
    certificate: x509.Certificate,
    path: str,
    now: datetime,
    staple: Staple | None = None,
    names: bool = True,
) -> dict[str, object]:
    ends = certificate.not_valid_after_utc
    found: dict[str, object] = {
        "path": path,
        "serial_number": CertificateInfo(certificate).serial,
        "subject_alt_names": _names(certificate) if names else [],
        "days_until_expiration": str(max((ends - now.replace(microsecond=0)).days, 0)),
        "valid_from": _text(certificate.not_valid_before_utc),
        "expiration_time": _text(ends),
    }
    if staple is not None:
        found["ocsp_details"] = {
            "valid_from": _text(staple.begins),
            "expiration": _exactText(now) if staple.ends is None else _text(staple.ends),
        }
    return found


def _names(certificate: x509.Certificate) -> list[dict[str, str]]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    alternative = extension.value
    return [
        {field: str(name.value)}
        for kind, field in _KINDS
        for name in alternative
        if isinstance(name, kind)
    ]


def _text(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _exactText(time: datetime) -> str:
    return f"{time.astimezone(timezone.utc).isoformat(timespec='milliseconds')[:23]}Z"
