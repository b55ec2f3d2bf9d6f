"""Operators about TLS: without a value on a connection that is not encrypted."""

from __future__ import annotations

from twisted_envoy.formatter.operators.entry import (
    UNSET,
    Arguments,
    Entry,
    Operator,
    Operators,
    unset,
)
from twisted_envoy.formatter.parser import Command
from twisted_envoy.formatter.time_format import compileTimeFormat

_DOWNSTREAM = (
    *("HANDSHAKE_DURATION", "TLS_CIPHER", "TLS_GROUP", "TLS_SESSION_ID", "TLS_VERSION"),
    *("LOCAL_DNS_SAN", "LOCAL_EMAIL_SAN", "LOCAL_IP_SAN", "LOCAL_OTHERNAME_SAN"),
    *("LOCAL_SUBJECT", "LOCAL_URI_SAN", "PEER_CERT", "PEER_CHAIN_FINGERPRINTS_1"),
    *("PEER_CHAIN_FINGERPRINTS_256", "PEER_CHAIN_SERIALS", "PEER_DNS_SAN", "PEER_EMAIL_SAN"),
    *("PEER_FINGERPRINT_1", "PEER_FINGERPRINT_256", "PEER_IP_SAN", "PEER_ISSUER"),
    *("PEER_ISSUER_FINGERPRINT_256", "PEER_ISSUER_SERIAL", "PEER_OTHERNAME_SAN"),
    *("PEER_SERIAL", "PEER_SUBJECT", "PEER_URI_SAN"),
)
_UPSTREAM = (
    *("LOCAL_DNS_SAN", "LOCAL_IP_SAN", "LOCAL_URI_SAN", "PEER_CERT", "PEER_DNS_SAN"),
    *("PEER_IP_SAN", "PEER_ISSUER", "PEER_SUBJECT", "PEER_URI_SAN", "SERVER_NAME"),
    *("TLS_CIPHER", "TLS_GROUP", "TLS_SESSION_ID", "TLS_VERSION"),
)
_VALIDITY = tuple(
    f"{side}_PEER_CERT_V_{end}" for side in ("DOWNSTREAM", "UPSTREAM") for end in ("START", "END")
)


def _certificateTime(command: Command, operators: Operators) -> Operator:
    compileTimeFormat(command.arguments, local=False)
    return UNSET


OPERATORS: Operators = {
    **{f"DOWNSTREAM_{name}": Entry(unset) for name in _DOWNSTREAM},
    **{f"UPSTREAM_{name}": Entry(unset) for name in _UPSTREAM},
    **{name: Entry(_certificateTime, Arguments.OPTIONAL) for name in _VALIDITY},
    "TLS_JA3_FINGERPRINT": Entry(unset),
    "TLS_JA4_FINGERPRINT": Entry(unset),
}
