"""From `CommonTlsContext` to what contexts are made of."""

from __future__ import annotations

from typing import Any

from twisted_envoy.extensions.common.tls.certificate import Certificate, readCertificate
from twisted_envoy.extensions.common.tls.context import ContextSettings
from twisted_envoy.extensions.common.tls.parameters import readParameters
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.validation import buildVerifier


def readCommon(
    view: Any,
    stats: TLSStats,
    isServer: bool,
    required: bool = False,
    preferClients: bool = False,
) -> tuple[ContextSettings, tuple[Certificate, ...]]:
    """
    Read a CommonTlsContext.

    Args:
        view: None without one. required: a client must show a certificate.
    Raises:
        ConfigError: in Envoy's words where it has some.
    """
    if view is None:
        parameters = readParameters(None, isServer, preferClients)
        return ContextSettings(parameters, buildVerifier(None, stats, isServer, required)), ()
    certificates = tuple(readCertificate(each) for each in view.tls_certificates)
    verifier = buildVerifier(view.validation_context, stats, isServer, required)
    for certificate in certificates:
        stats.expires("cert", "", int(certificate.leaf.not_valid_after_utc.timestamp()))
    for authority in verifier.authorities or ():
        stats.expires("ca_cert", "", int(authority.not_valid_after_utc.timestamp()))
    settings = ContextSettings(
        readParameters(view.tls_params, isServer, preferClients),
        verifier,
        tuple(name.encode() for name in view.alpn_protocols),
    )
    return settings, certificates
