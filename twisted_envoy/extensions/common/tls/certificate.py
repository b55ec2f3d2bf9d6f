"""
A certificate with its key, read from `extensions.transport_sockets.tls.v3.TlsCertificate`.

Envoy: TlsCertificateConfigImpl, ServerContextImpl (which certificate a server name gets)
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from twisted_envoy.extensions.common.tls.key_errors import causeOf, mismatchOf
from twisted_envoy.extensions.common.tls.staple import Staple, mustStaple, readStaple
from twisted_envoy.formatter.data_source import readDataSource

INLINE = "<inline>"
"""The path of what stands in a config, or in a secret that was fetched."""


@dataclass(frozen=True)
class Certificate:
    """
    One that a connection may show.

    Attributes:
        chain: what stands between it and its root, nearest first.
        names: of DNS, as they are written; the common name when it has none.
        path: where it comes from, `<inline>` when from no file.
        staple: what a server may show with it; isMustStaple: it says that it has to.
    """

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes
    names: frozenset[str]
    path: str
    staple: Staple | None = None
    isMustStaple: bool = False

    @property
    def keyType(self) -> str:
        """`rsa`, `ecdsa` or another: a server has one certificate of each for a name."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return "rsa"
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return "ecdsa"
        return type(self.key).__name__


def readCertificate(view: Any) -> Certificate:
    """
    Read and check one TlsCertificate.

    Raises:
        ConfigError: in Envoy's words where it has some.
    """
    if view.private_key_provider is not None:
        name = view.private_key_provider.provider_name
        raise view.error(f"Failed to load private key provider: {name}", "private_key_provider")
    view.moot("signed_certificate_timestamp", "Envoy does not implement it")
    if view.pkcs12 is not None:
        return _fromPKCS12(view)
    chainView, keyView = view.certificate_chain, view.private_key
    chainData = _dataOf(chainView)
    keyData = _dataOf(keyView)
    passphrase = None if view.password is None else readDataSource(view.password)
    if not keyData:
        raise view.error(f"Failed to load incomplete private key from path: {_pathOf(keyView)}")
    if not chainData:
        raise view.error(
            f"Failed to load incomplete certificate from {_pathOf(chainView)}: "
            "certificate chain not set"
        )
    path = _pathOf(chainView) or INLINE
    keyPath = _pathOf(keyView) or INLINE
    try:
        certificates = x509.load_pem_x509_certificates(chainData)
    except ValueError as problem:
        raise view.error(f"Failed to load certificate chain from {path}") from problem
    try:
        key = load_pem_private_key(keyData, passphrase or None)
    except (ValueError, TypeError) as problem:
        raise view.error(
            f"Failed to load private key from {keyPath}, Cause: {causeOf(keyData, problem)}"
        ) from problem
    return _checked(view, certificates, key, path, keyPath)


def _fromPKCS12(view: Any) -> Certificate:
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

    if view.has("certificate_chain") or view.has("private_key"):
        raise view.error(
            "Certificate configuration can't have both pkcs12 and certificate_chain/private_key"
        )
    path = _pathOf(view.pkcs12) or INLINE
    passphrase = None if view.password is None else readDataSource(view.password)
    try:
        store = load_pkcs12(readDataSource(view.pkcs12), passphrase or None)
    except ValueError as problem:
        raise view.error(f"Failed to load pkcs12 from {path}") from problem
    if store.cert is None or store.key is None:
        raise view.error(f"Failed to load pkcs12 from {path}")
    more = [each.certificate for each in store.additional_certs]
    return _checked(view, [store.cert.certificate, *more], store.key, path, path)


def _checked(
    view: Any,
    certificates: list[x509.Certificate],
    key: PrivateKeyTypes,
    path: str,
    keyPath: str,
) -> Certificate:
    leaf, *chain = certificates
    public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public != own:
        raise view.error(
            f"Failed to load private key from {keyPath}, Cause: "
            f"{mismatchOf(leaf.public_key(), key.public_key())}"
        )
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < 2048:
        raise view.error(
            f"Failed to load certificate chain from {path}, only RSA certificates with 2048-bit "
            "or larger keys are supported"
        )
    staple = readStaple(view, leaf)
    return Certificate(leaf, tuple(chain), key, _namesOf(leaf), path, staple, mustStaple(leaf))


def _dataOf(view: Any) -> bytes:
    """What a DataSource has; nothing where there is no file, as Envoy says it then."""
    if view is None:
        return b""
    path = _pathOf(view)
    isThere = not path or (os.path.exists(path) and not os.path.isdir(path))
    return readDataSource(view) if isThere else b""


def _pathOf(view: Any) -> str:
    if view is None or view.which("specifier") != "filename":
        return ""
    path: str = view.filename
    return path


def _namesOf(leaf: x509.Certificate) -> frozenset[str]:
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        found = extension.value.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        found = [str(each.value) for each in common[:1]]
    return frozenset(found)


def pickCertificates(
    certificates: tuple[Certificate, ...], serverName: str, fullScan: bool = False
) -> tuple[Certificate, ...]:
    """
    Those that a server name gets: of each type of key the first that has the name, exactly or by a
    wildcard for its first label. Capital letters count.

    Args:
        serverName: "" gets, of each type, the first of all.
        fullScan: so does a name that no certificate has; otherwise that gets the very first.
    Returns:
        Where only ECDSA has the name, also what clients get that have RSA only.
    """
    found: dict[str, Certificate] = {}
    for wanted in (serverName, "*." + serverName.partition(".")[2]) if serverName else ():
        if "rsa" not in found:
            _addEachType(found, (each for each in certificates if wanted in each.names))
    scanned = certificates if fullScan or not serverName else certificates[:1]
    if not found:
        _addEachType(found, scanned)
    elif "rsa" not in found:
        _addEachType(found, (each for each in scanned if each.keyType == "rsa"))
    return tuple(found.values())


def _addEachType(found: dict[str, Certificate], certificates: Iterable[Certificate]) -> None:
    for certificate in certificates:
        found.setdefault(certificate.keyType, certificate)
