"""
Whom a connection trusts, from `CertificateValidationContext`.

Without trusted_ca nothing is verified but what pins and matchers ask for, as in Envoy.

Envoy: Extensions::TransportSockets::Tls::DefaultCertValidator
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import SSL, crypto

from twisted_envoy.codec.tls_info import CertificateInfo
from twisted_envoy.codec.tls_record import Verdict
from twisted_envoy.extensions.common.tls.chain_errors import wordsOf
from twisted_envoy.extensions.common.tls.peer_chain import verifyWith
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.values import dataclass

_NOT_YET_VALID = 9
_EXPIRED = 10


@dataclass(frozen=True, slots=True)
class NameMatch:
    """
    One of match_typed_subject_alt_names.

    Attributes:
        kind: `DNS`, `URI`, ...; exact: the name when it is an exact one, which a wildcard of a
            certificate may match; identifier: the type of an `OTHER_NAME`.
    """

    kind: str
    matches: Callable[[str], bool]
    exact: str | None = None
    identifier: str = ""

    def matchesAny(self, certificate: CertificateInfo) -> bool:
        """Whether one of the certificate's names matches."""
        for name in certificate.names(self.kind, self.identifier):
            if self.kind == "DNS" and self.exact is not None:
                if isNameOf(self.exact, name):
                    return True
            elif self.matches(name):
                return True
        return False


def isNameOf(name: str, pattern: str) -> bool:
    """Whether a certificate's DNS name, which may begin with `*.`, is that of a host."""
    name, pattern = name.lower(), pattern.lower()
    if name == pattern:
        return True
    first, dot, rest = name.partition(".")
    return pattern.startswith("*.") and bool(first and dot) and rest == pattern[2:]


@dataclass(frozen=True)
class Verifier:
    """
    What is asked of a peer's certificate.

    Attributes:
        stats: counts what is refused.
        authorities: trusted; None: nobody says who, so any chain will do.
        names: one must match; hashes: SHA-256 of certificates, spki: of public keys: one of both
            lists must match.
        untrusted: what is wrong is counted, and accepted all the same.
        required: a client must show a certificate, as it must where names or pins are asked for;
            one whom nobody looks at need not.
        deepest: of max_verify_depth, which counts for servers, and one less than it says; None
            is the library's own.
        path: where the authorities come from.
    """

    stats: TLSStats
    authorities: tuple[x509.Certificate, ...] | None = None
    fromSystem: bool = False
    names: Sequence[NameMatch] = ()
    hashes: frozenset[str] = frozenset()
    spki: frozenset[str] = frozenset()
    revoked: tuple[x509.CertificateRevocationList, ...] = ()
    onlyLeafRevoked: bool = False
    allowExpired: bool = False
    untrusted: bool = False
    suppressNames: bool = False
    deepest: int | None = None
    required: bool = False
    isServer: bool = field(default=False)
    path: str = ""

    def joinedWith(self, more: Verifier) -> Verifier:
        """Both at once, as messages are merged: lists are joined, else the later counts."""
        return replace(
            more,
            authorities=self.authorities if more.authorities is None else more.authorities,
            path=self.path if more.authorities is None else more.path,
            fromSystem=self.fromSystem or more.fromSystem,
            names=(*self.names, *more.names),
            hashes=self.hashes | more.hashes,
            spki=self.spki | more.spki,
            revoked=more.revoked or self.revoked,
            onlyLeafRevoked=self.onlyLeafRevoked or more.onlyLeafRevoked,
            allowExpired=self.allowExpired or more.allowExpired,
            untrusted=self.untrusted or more.untrusted,
            suppressNames=self.suppressNames or more.suppressNames,
            deepest=self.deepest if more.deepest is None else more.deepest,
        )

    @property
    def asks(self) -> bool:
        """Whether anything is asked of a certificate."""
        return bool(
            self.authorities is not None
            or self.fromSystem
            or self.names
            or self.hashes
            or self.spki
        )

    @property
    def trusts(self) -> bool:
        """Whether a certificate that is accepted has been verified."""
        return self.authorities is not None or self.fromSystem

    def install(self, context: SSL.Context) -> None:
        """Have a context verify its connections' peers."""
        mode = SSL.VERIFY_NONE
        if self.asks:
            mode = SSL.VERIFY_PEER
            if self.required or self.names or self.hashes or self.spki:
                mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        if mode == SSL.VERIFY_NONE:
            if not self.isServer:
                context.set_verify(SSL.VERIFY_PEER, self._verifyUsage)
            return
        self._trust(context)
        verifyWith(context, mode, self._verify, self.authorities or ())
        if self.deepest is not None and self.isServer:
            context.set_verify_depth(max(self.deepest - 1, 0))

    def _trust(self, context: SSL.Context) -> None:
        if self.fromSystem:
            context.set_default_verify_paths()
        store = context.get_cert_store()
        if store is None:
            return
        for authority in self.authorities or ():
            certificate = crypto.X509.from_cryptography(authority)
            store.add_cert(certificate)
            if self.isServer and not self.suppressNames:
                context.add_client_ca(authority)
        flags = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN: whom we trust need not be a root
        for each in self.revoked:
            store.add_crl(each)
            flags |= crypto.X509StoreFlags.CRL_CHECK
            if not self.onlyLeafRevoked:
                flags |= crypto.X509StoreFlags.CRL_CHECK_ALL
        store.set_flags(flags)

    def _verify(
        self, connection: SSL.Connection, certificate: Any, code: int, depth: int, good: int
    ) -> bool:
        verdict: Verdict = connection.get_app_data()
        if not good:
            if self.allowExpired and code in (_EXPIRED, _NOT_YET_VALID):
                return True
            if not self.trusts:
                return True
            if self.untrusted:
                if not verdict.isTolerated:
                    verdict.isTolerated = True
                    self.stats.fail_verify_error.value += 1
                return True
            place = f"X509_verify_cert: certificate verification error at depth {depth}"
            self._refuse(verdict, f"{place}: {wordsOf(code)}", self.stats.fail_verify_error)
            return False
        if depth or verdict.isTolerated:
            return True
        leaf = CertificateInfo(certificate.to_cryptography())
        if self._maySign(verdict, leaf) and self.checkLeaf(verdict, leaf):
            return True
        if self.untrusted and verdict.refusal:
            verdict.isTolerated = True
            verdict.refusal = ""
            return True
        return False

    def _verifyUsage(
        self, connection: SSL.Connection, certificate: Any, code: int, depth: int, good: int
    ) -> bool:
        """
        Where nobody is trusted: any certificate whose key is one for signing.

        But none whose names count: they would say nothing.
        """
        if connection.get_app_data().wantedNames:
            return False
        return bool(depth) or self._maySign(
            connection.get_app_data(), CertificateInfo(certificate.to_cryptography())
        )

    def _maySign(self, verdict: Verdict, leaf: CertificateInfo) -> bool:
        """Whether a server's RSA key is one for signing, which all our ciphers have it do."""
        if self.isServer or leaf.maySign:
            return True
        verdict.reason = "KEY_USAGE_BIT_INCORRECT"
        return False

    def checkLeaf(self, verdict: Verdict, leaf: CertificateInfo) -> bool:
        """
        Whether the peer's own certificate is what the config asks for.

        Returns:
            False, having told the verdict why, if it is not.
        """
        problem = self._problemOfNames(verdict, leaf)
        if problem:
            self._refuse(verdict, problem, self.stats.fail_verify_san)
            return False
        if (self.hashes or self.spki) and not self._isPinned(leaf):
            self._refuse(verdict, "cert hash and spki", self.stats.fail_verify_cert_hash)
            return False
        return True

    def _problemOfNames(self, verdict: Verdict, leaf: CertificateInfo) -> str:
        """What is wrong with its names; "" for nothing."""
        if verdict.wantedNames and not _hasOneOf(leaf, verdict.wantedNames):
            wanted, names = ", ".join(verdict.wantedNames), ", ".join(leaf.names())
            return f"verify SAN list, expected SANs: [{wanted}], certificate SANs: [{names}]"
        if verdict.wantedName:
            isRight = _hasOneOf(leaf, (verdict.wantedName,))
        else:
            isRight = not self.names or any(name.matchesAny(leaf) for name in self.names)
        return "" if isRight else f"SAN matcher, certificate SANs are [{', '.join(leaf.names())}]"

    def _isPinned(self, leaf: CertificateInfo) -> bool:
        if leaf.sha256 in self.hashes:
            return True
        key = leaf.certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(hashlib.sha256(key).digest()).decode() in self.spki

    def _refuse(self, verdict: Verdict, text: str, counter: Any) -> None:
        if not verdict.refusal:
            verdict.refusal = f"verify cert failed: {text}"
            counter.value += 1


def _hasOneOf(leaf: CertificateInfo, wanted: tuple[str, ...]) -> bool:
    """One of these is a name of it: a DNS name may be a pattern, others are as they are."""
    names = leaf.names("DNS")
    others = {*leaf.names("URI"), *leaf.names("IP_ADDRESS")}
    return any(one in others or any(isNameOf(one, name) for name in names) for one in wanted)
