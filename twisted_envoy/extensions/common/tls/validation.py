"""From `CertificateValidationContext` to a Verifier."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from cryptography import x509

from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.verifier import NameMatch, Verifier
from twisted_envoy.formatter.data_source import readDataSource, readFilledSource
from twisted_envoy.network.matchers import buildStringMatch

_HEXADECIMAL = frozenset("0123456789abcdef")


def buildVerifier(
    view: Any,
    stats: TLSStats,
    isServer: bool = False,
    required: bool = False,
    isPart: bool = False,
) -> Verifier:
    """
    Read who is trusted.

    Args:
        view: of the CertificateValidationContext, None without one.
        required: a client must show a certificate.
        isPart: something that is missing here comes from a secret.
    Raises:
        ConfigError: in Envoy's words where it has some.
    """
    if view is None:
        return Verifier(stats, isServer=isServer, required=required)
    authorities = _authorities(view)
    fromSystem = view.system_root_certs is not None
    revoked = _revoked(view)
    names = _names(view)
    untrusted = view.trust_chain_verification == "ACCEPT_UNTRUSTED"
    if authorities is None and not (fromSystem or isPart):
        _refuseWithoutCA(view, bool(names), bool(revoked))
    view.moot("require_signed_certificate_timestamp", "Envoy does not implement it")
    return Verifier(
        stats,
        authorities,
        fromSystem,
        names,
        _hashes(view),
        _keys(view),
        revoked,
        view.only_verify_leaf_cert_crl,
        view.allow_expired_certificate,
        untrusted,
        view.suppress_client_ca_list,
        view.max_verify_depth,
        required,
        isServer,
        "" if view.trusted_ca is None else sourceName(view.trusted_ca),
    )


def _refuseWithoutCA(view: Any, hasNames: bool, hasRevoked: bool) -> None:
    if hasNames:
        raise view.error(
            "SAN-based verification of peer certificates without trusted CA is insecure and not "
            "allowed"
        )
    if view.allow_expired_certificate:
        raise view.error(
            "Certificate validity period is always ignored without trusted CA",
            "allow_expired_certificate",
        )
    if hasRevoked:
        text = f"Failed to load CRL from {sourceName(view.crl)} without trusted CA"
        raise view.error(text, "crl")


def _authorities(view: Any) -> tuple[x509.Certificate, ...] | None:
    if view.trusted_ca is None:
        return None
    data = readFilledSource(view.trusted_ca)
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError as problem:
        path = sourceName(view.trusted_ca)
        text = f"Failed to load trusted CA certificates from {path}"
        raise view.error(text, "trusted_ca") from problem


def _revoked(view: Any) -> tuple[x509.CertificateRevocationList, ...]:
    if view.crl is None:
        return ()
    data = readDataSource(view.crl)
    path = sourceName(view.crl)
    begin = b"-----BEGIN X509 CRL-----"
    parts = [begin + part for part in data.split(begin)[1:]]
    try:
        found = tuple(x509.load_pem_x509_crl(part) for part in parts)
    except ValueError as problem:
        raise view.error(f"Failed to load CRL from {path}", "crl") from problem
    if not found:
        raise view.error(f"Failed to load CRL from {path}", "crl")
    return found


def _hashes(view: Any) -> frozenset[str]:
    """Of certificates, in lower case without colons."""
    found = [text.replace(":", "").lower() for text in view.verify_certificate_hash]
    for text, digits in zip(view.verify_certificate_hash, found, strict=True):
        if len(text) not in (64, 95) or len(digits) != 64 or not _HEXADECIMAL.issuperset(digits):
            raise view.error(f"Invalid hex-encoded SHA-256 {text}", "verify_certificate_hash")
    return frozenset(found)


def _keys(view: Any) -> frozenset[str]:
    """Hashes of public keys, in base64."""
    for text in view.verify_certificate_spki:
        try:
            size = len(base64.b64decode(text, validate=True))
        except binascii.Error:
            size = 0
        if size != 32:
            raise view.error(f"Invalid base64-encoded SHA-256 {text}", "verify_certificate_spki")
    return frozenset(view.verify_certificate_spki)


def _names(view: Any) -> tuple[NameMatch, ...]:
    names = []
    for each in view.match_typed_subject_alt_names:
        matcher = each.matcher
        exact = None
        if matcher.which("match_pattern") == "exact" and not matcher.ignore_case:
            exact = matcher.exact
        names.append(NameMatch(each.san_type, buildStringMatch(matcher), exact, _identifier(each)))
    if names:
        view.moot("match_subject_alt_names", "match_typed_subject_alt_names stands in its place")
        return tuple(names)
    for matcher in view.match_subject_alt_names:
        exact = matcher.exact if matcher.which("match_pattern") == "exact" else None
        matches = buildStringMatch(matcher)
        names += [NameMatch(kind, matches, exact) for kind in ("DNS", "URI", "EMAIL", "IP_ADDRESS")]
    return tuple(names)


def _identifier(view: Any) -> str:
    """Which other names count; "" for a type that is one of its own."""
    if view.san_type != "OTHER_NAME":
        view.moot("oid", "only OTHER_NAME has one")
        return ""
    identifier: str = view.oid
    try:
        x509.ObjectIdentifier(identifier)
    except ValueError as problem:
        text = f"Failed to create SAN matcher for OTHER_NAME with OID: {identifier}"
        raise view.error(text, "oid") from problem
    return identifier


def sourceName(view: Any) -> str:
    """What a DataSource is called in an error: its path, or `<inline>`."""
    if view.which("specifier") == "filename":
        path: str = view.filename
        return path
    return "<inline>"
