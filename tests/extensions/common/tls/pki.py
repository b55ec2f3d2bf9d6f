"""Certificates for tests, made when they are needed."""

from __future__ import annotations

import base64
import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)
_HALF = datetime.timedelta(hours=12)  # so that the days left are the same for a whole test


def _name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


class Issued:
    """A certificate and its key, as PEM texts."""

    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key
        self.pem = certificate.public_bytes(Encoding.PEM).decode()
        self.keyPEM = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def config(self):
        """A TlsCertificate, as JSON would have it."""
        return {
            "certificate_chain": {"inline_string": self.pem},
            "private_key": {"inline_string": self.keyPEM},
        }


class Authority:
    """Somebody who may be trusted."""

    def __init__(self, name="test authority"):
        self.name = _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + 30 * _DAY + _HALF)
            .add_extension(x509.BasicConstraints(True, None), True)
            .sign(self.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(Encoding.PEM).decode()

    def issue(
        self,
        *names,
        common="test",
        expired=False,
        kind="ecdsa",
        uris=(),
        others=(),
        serial=None,
        extensions=(),
    ):
        """A certificate with these DNS names (or IP addresses)."""
        if kind == "ecdsa":
            key = ec.generate_private_key(ec.SECP256R1())
        else:
            key = rsa.generate_private_key(65537, 2048)
        now = datetime.datetime.now(datetime.timezone.utc)
        alternative = [_general(name) for name in names]
        alternative += [x509.UniformResourceIdentifier(uri) for uri in uris]
        alternative += others
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now - 20 * _DAY)
            .not_valid_after(now - _DAY if expired else now + 20 * _DAY + _HALF)
        )
        if alternative:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative), False)
        for each in extensions:
            builder = builder.add_extension(each, False)
        return Issued(builder.sign(self.key, hashes.SHA256()), key)

    def respond(self, issued, days=5):
        """A good OCSP response in DER, which ends so many days from now; None for no end."""
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=issued.certificate,
            issuer=self.certificate,
            algorithm=hashes.SHA1(),
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=now - 10 * _DAY,
            next_update=None if days is None else now + days * _DAY + _HALF,
            revocation_time=None,
            revocation_reason=None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.certificate)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def revoke(self, *issued):
        """A CRL, as a PEM text."""
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(now - _DAY)
            .next_update(now + 10 * _DAY + _HALF)
        )
        for each in issued:
            revoked = (
                x509.RevokedCertificateBuilder()
                .serial_number(each.certificate.serial_number)
                .revocation_date(now - _DAY)
                .build()
            )
            builder = builder.add_revoked_certificate(revoked)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


MUST_STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])
"""An extension: clients are to expect a staple."""


def keyUsage(**uses):
    """The extension that says what a key is for."""
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{**dict.fromkeys(names, False), **uses})


def inlineBytes(data):
    """A DataSource of bytes."""
    return {"inline_bytes": base64.b64encode(data).decode()}


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
