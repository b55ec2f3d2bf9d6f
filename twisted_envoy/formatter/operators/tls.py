"""
Operators about TLS: without a value on a connection that is not encrypted.

What they read is a codec.tls_info.TLSInfo, which this package may not import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted_envoy.formatter.operators.entry import (
    Arguments,
    Entry,
    Operator,
    Operators,
    number,
    text,
)
from twisted_envoy.formatter.parser import Command
from twisted_envoy.formatter.time_format import compileTimeFormat
from twisted_envoy.state.stream_info import FormatContext

_TIME = "%Y-%m-%dT%H:%M:%S.000Z"

Find = Callable[[FormatContext], Any]


def _downstream(context: FormatContext) -> Any:
    return context.streamInfo.tls


def _upstream(context: FormatContext) -> Any:
    upstream = context.streamInfo.upstream
    return None if upstream is None else upstream.tls


def _of(find: Find, function: Callable[[Any], str | None]) -> Entry:
    """Of the connection's TLS; an empty text is no value."""

    def value(context: FormatContext) -> str | None:
        found = find(context)
        return None if found is None else function(found) or None

    return text(value)


def _ofPeer(find: Find, function: Callable[[Any], str | None]) -> Entry:
    return _of(find, lambda tls: None if tls.peer is None else function(tls.peer))


def _ofLocal(find: Find, function: Callable[[Any], str | None]) -> Entry:
    return _of(find, lambda tls: None if tls.local is None else function(tls.local))


def _ofChain(find: Find, function: Callable[[Any], str]) -> Entry:
    return _of(find, lambda tls: _joined(map(function, tls.peerChain)))


def _names(kind: str) -> Callable[[Any], str]:
    return lambda certificate: _joined(certificate.names(kind))


def _joined(texts: Iterable[str]) -> str:
    return ",".join(texts)


def _issuing(function: Callable[[Any], str]) -> Entry:
    """Of the certificate above the peer's own, in the chain that was verified."""
    return _of(_downstream, lambda tls: None if tls.issuer is None else function(tls.issuer))


def _validity(find: Find, point: Callable[[Any], float]) -> Entry:
    def make(command: Command, operators: Operators) -> Operator:
        render = compileTimeFormat(command.arguments or _TIME, local=False)

        def value(context: FormatContext) -> str | None:
            tls = find(context)
            return None if tls is None or tls.peer is None else render(point(tls.peer))

        return Operator(value, value)

    return Entry(make, Arguments.OPTIONAL)


def _handshake(context: FormatContext) -> int | None:
    tls = context.streamInfo.tls
    return None if tls is None else round((tls.done - tls.begun) * 1_000_000) // 1000


def _family(side: str, find: Find) -> Operators:
    """What both sides have."""
    sans = (("DNS", "DNS"), ("EMAIL", "EMAIL"), ("IP", "IP_ADDRESS"), ("URI", "URI"))
    return {
        **{f"{side}_LOCAL_{name}_SAN": _ofLocal(find, _names(kind)) for name, kind in sans},
        **{f"{side}_PEER_{name}_SAN": _ofPeer(find, _names(kind)) for name, kind in sans},
        f"{side}_PEER_CERT": _ofPeer(find, lambda peer: peer.encoded),
        f"{side}_PEER_CERT_V_START": _validity(find, lambda peer: peer.begins),
        f"{side}_PEER_CERT_V_END": _validity(find, lambda peer: peer.ends),
        f"{side}_PEER_ISSUER": _ofPeer(find, lambda peer: peer.issuer),
        f"{side}_PEER_SUBJECT": _ofPeer(find, lambda peer: peer.subject),
        f"{side}_TLS_CIPHER": _of(find, lambda tls: tls.cipher),
        f"{side}_TLS_GROUP": _of(find, lambda tls: tls.group),
        f"{side}_TLS_SESSION_ID": _of(find, lambda tls: tls.sessionID),
        f"{side}_TLS_VERSION": _of(find, lambda tls: tls.version),
    }


_NOT_UPSTREAM = ("UPSTREAM_LOCAL_EMAIL_SAN", "UPSTREAM_PEER_EMAIL_SAN")

OPERATORS: Operators = {
    **_family("DOWNSTREAM", _downstream),
    **{
        name: entry
        for name, entry in _family("UPSTREAM", _upstream).items()
        if name not in _NOT_UPSTREAM
    },
    "DOWNSTREAM_HANDSHAKE_DURATION": number(_handshake),
    "DOWNSTREAM_LOCAL_OTHERNAME_SAN": _ofLocal(_downstream, _names("OTHER_NAME")),
    "DOWNSTREAM_LOCAL_SUBJECT": _ofLocal(_downstream, lambda local: local.subject),
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1": _ofChain(_downstream, lambda each: each.sha1),
    "DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256": _ofChain(_downstream, lambda each: each.sha256),
    "DOWNSTREAM_PEER_CHAIN_SERIALS": _ofChain(_downstream, lambda each: each.serial),
    "DOWNSTREAM_PEER_FINGERPRINT_1": _ofPeer(_downstream, lambda peer: peer.sha1),
    "DOWNSTREAM_PEER_FINGERPRINT_256": _ofPeer(_downstream, lambda peer: peer.sha256),
    "DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256": _issuing(lambda each: each.sha256),
    "DOWNSTREAM_PEER_ISSUER_SERIAL": _issuing(lambda each: each.serial),
    "DOWNSTREAM_PEER_OTHERNAME_SAN": _ofPeer(_downstream, _names("OTHER_NAME")),
    "DOWNSTREAM_PEER_SERIAL": _ofPeer(_downstream, lambda peer: peer.serial),
    "UPSTREAM_SERVER_NAME": _of(_upstream, lambda tls: tls.serverName),
    "TLS_JA3_FINGERPRINT": text(lambda context: context.streamInfo.ja3 or None),
    "TLS_JA4_FINGERPRINT": text(lambda context: context.streamInfo.ja4 or None),
}
