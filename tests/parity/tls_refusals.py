"""Broken TLS contexts: one mistake each, in certificates that are made when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from tests.bootstraps import bootstrap, cluster, echo, listener, typed
from tests.extensions.common.tls.pki import MUST_STAPLE, Authority, inlineBytes

_ANY_PORT = "127.0.0.1:0"
_DOWN = "transport_sockets.tls.v3.DownstreamTlsContext"
_UP = "transport_sockets.tls.v3.UpstreamTlsContext"


def downstream(common: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A transport_socket."""
    return typed("tls", _DOWN, common_tls_context=common, **fields)


def upstream(common: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A transport_socket."""
    return typed("tls", _UP, common_tls_context=common, **fields)


def withServer(common: dict[str, Any], **fields: Any) -> str:
    """One listener with such a context."""
    made = listener("l", _ANY_PORT, echo())
    made["filter_chains"][0]["transport_socket"] = downstream(common, **fields)
    return bootstrap([made], [])


def withClient(common: dict[str, Any], **fields: Any) -> str:
    """One cluster with such a context."""
    made = cluster("origin", "127.0.0.1:9")
    made["transport_socket"] = upstream(common, **fields)
    return bootstrap([], [made])


@lru_cache(maxsize=1)
def _issued() -> tuple[Any, ...]:
    authority = Authority()
    return (
        authority,
        authority.issue("server.test"),
        authority.issue("server.test", kind="rsa"),
        authority.issue("server.test", extensions=[MUST_STAPLE]),
    )


def tlsRefusals() -> Iterator[tuple[str, str]]:
    """(what is wrong, the bootstrap's text) of each."""
    yield from _certificates()
    yield from _staples()
    yield from _parameters()
    yield from _validation()
    yield from _sides()


def _certificates() -> Iterator[tuple[str, str]]:
    _, own, other, _ = _issued()
    chain, key = own.config["certificate_chain"], own.config["private_key"]
    encrypted = own.key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    ).decode()
    cases: dict[str, dict[str, Any]] = {
        "tlsNoKey": {"certificate_chain": chain},
        "tlsNoChain": {"private_key": key},
        "tlsMissingFiles": {
            "certificate_chain": {"filename": "/none/c"},
            "private_key": {"filename": "/none/k"},
        },
        "tlsGarbledChain": {**own.config, "certificate_chain": {"inline_string": "x"}},
        "tlsCutChain": {**own.config, "certificate_chain": {"inline_string": own.pem[:200]}},
        "tlsFolderAsChain": {**own.config, "certificate_chain": {"filename": "/"}},
        "tlsGarbledKey": {**own.config, "private_key": {"inline_string": "x"}},
        "tlsCutKey": {**own.config, "private_key": {"inline_string": own.keyPEM[:100]}},
        "tlsOtherKey": {**own.config, "private_key": other.config["private_key"]},
        "tlsNoPassword": {**own.config, "private_key": {"inline_string": encrypted}},
        "tlsWrongPassword": {
            **own.config,
            "private_key": {"inline_string": encrypted},
            "password": {"inline_string": "no"},
        },
        "tlsKeyProvider": {**own.config, "private_key_provider": {"provider_name": "x"}},
    }
    for name, certificate in cases.items():
        yield name, withServer({"tls_certificates": [certificate]})


def _staples() -> Iterator[tuple[str, str]]:
    authority, own, other, must = _issued()
    for name, staple in (
        ("tlsStapleText", {"inline_string": "x"}),
        ("tlsStapleOfAnother", inlineBytes(authority.respond(other))),
        ("tlsStapleMissing", {"filename": "/none/s"}),
    ):
        yield name, withServer({"tls_certificates": [{**own.config, "ocsp_staple": staple}]})
    yield "tlsMustStaple", withServer({"tls_certificates": [must.config]})
    common = {"tls_certificates": [own.config]}
    yield "tlsStaplePolicy", withServer(common, ocsp_staple_policy="MUST_STAPLE")


def _parameters() -> Iterator[tuple[str, str]]:
    own = _issued()[1]
    good = "ECDHE-RSA-AES128-GCM-SHA256"
    for name, parameters in (
        ("tlsCiphers", {"cipher_suites": [good, "no", "[AES128-SHA|never]"]}),
        ("tlsNewCiphers", {"cipher_suites": ["TLS_AES_128_GCM_SHA256"]}),
        ("tlsCurves", {"ecdh_curves": ["P-256", "no"]}),
        ("tlsAlgorithms", {"signature_algorithms": ["no"]}),
        ("tlsTwoPolicies", {"compliance_policies": ["FIPS_202205", "CNSA1_202603"]}),
    ):
        yield name, withServer({"tls_certificates": [own.config], "tls_params": parameters})


def _validation() -> Iterator[tuple[str, str]]:
    authority, own, _, _ = _issued()
    trusted = {"trusted_ca": {"inline_string": authority.pem}}
    exact = {"exact": "a"}

    def named(**fields: Any) -> dict[str, Any]:
        return {"match_typed_subject_alt_names": [{"matcher": exact, **fields}]}

    cases: dict[str, dict[str, Any]] = {
        "tlsAuthorityGarbled": {"trusted_ca": {"inline_string": "x"}},
        "tlsAuthorityMissing": {"trusted_ca": {"filename": "/none/a"}},
        "tlsAuthorityNothing": {"trusted_ca": {"filename": "/dev/null"}},
        "tlsAuthorityEmpty": {"trusted_ca": {"inline_string": ""}},
        "tlsCRLAlone": {"crl": {"inline_string": authority.revoke()}},
        "tlsNamesAlone": named(san_type="DNS"),
        "tlsNoKindOfName": {**trusted, **named()},
        "tlsOtherName": {**trusted, **named(san_type="OTHER_NAME", oid="x.y")},
        "tlsOtherNameUntyped": {**trusted, **named(san_type="OTHER_NAME")},
        "tlsHash": {"verify_certificate_hash": ["z" * 64]},
        "tlsHashColons": {"verify_certificate_hash": ["ab" * 32 + ":"]},
        "tlsHashShort": {"verify_certificate_hash": ["ab"]},
        "tlsKeyHash": {"verify_certificate_spki": ["!" * 44]},
        "tlsExpiredAlone": {"allow_expired_certificate": True},
        "tlsDepth": {**trusted, "max_verify_depth": 101},
    }
    for name, validation in cases.items():
        common = {"tls_certificates": [own.config], "validation_context": validation}
        yield name, withServer(common, require_client_certificate=True)


def _sides() -> Iterator[tuple[str, str]]:
    _, own, other, _ = _issued()
    both = [own.config, other.config]
    yield "tlsNoCertificate", withServer({})
    yield "tlsStaticSecret", withServer({"tls_certificate_sds_secret_configs": [{"name": "x"}]})
    secret = {"name": "x", "sds_config": {"path_config_source": {"path": "/"}}}
    yield "tlsNobodysSecret", withServer({"tls_certificate_sds_secret_configs": [secret]})
    common = {"tls_certificates": both, "tls_certificate_sds_secret_configs": [secret]}
    yield "tlsMixedSecrets", withServer(common)
    yield "tlsLongProtocol", withServer({"tls_certificates": both, "alpn_protocols": ["x" * 256]})
    yield (
        "tlsKeyLog",
        withServer({"tls_certificates": both, "key_log": {"path": "/none/k"}}),
    )
    yield "tlsTwoOfAClient", withClient({"tls_certificates": both})
    yield "tlsLongName", withClient({}, sni="x" * 256)
    yield "tlsNameWithNothing", withClient({}, sni="a\0b")
    yield "tlsAutoNameAlone", withClient({}, auto_sni_san_validation=True)
    common = {"validation_context": {}}
    yield "tlsAutoNameUntrusted", withClient(common, auto_sni_san_validation=True)
