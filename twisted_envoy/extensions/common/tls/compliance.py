"""
What a compliance policy allows: it takes the place of all other parameters.

Envoy: TlsParameters.CompliancePolicy (BoringSSL's SSL_CTX_set_compliance_policy, observed)
"""

from __future__ import annotations

from twisted_envoy.values import dataclass

_ECDHE_GCM_256 = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"


@dataclass(frozen=True, slots=True)
class Policy:
    """
    One policy, in OpenSSL's names.

    Attributes:
        onlyNewest: TLS 1.3 and nothing older; else 1.2, too.
        ciphers: up to TLS 1.2; newCiphers: of 1.3; groups, algorithms: the best first.
    """

    ciphers: str
    newCiphers: str
    groups: tuple[str, ...]
    algorithms: tuple[str, ...]
    onlyNewest: bool = False


_SHA384 = ("ecdsa_secp384r1_sha384", "rsa_pss_rsae_sha384", "rsa_pkcs1_sha384")

POLICIES = {
    "FIPS_202205": Policy(
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" + _ECDHE_GCM_256,
        "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
        ("P-256", "P-384"),
        (
            *("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512"),
            *("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384"),
            *("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"),
        ),
    ),
    "CNSA1_202603": Policy(
        _ECDHE_GCM_256 + ":AES256-GCM-SHA384",
        "TLS_AES_256_GCM_SHA384",
        ("MLKEM1024", "P-384"),
        _SHA384,
    ),
    "CNSA2_202603": Policy(
        _ECDHE_GCM_256, "TLS_AES_256_GCM_SHA384", ("MLKEM1024",), _SHA384, onlyNewest=True
    ),
}
"""By their names."""
