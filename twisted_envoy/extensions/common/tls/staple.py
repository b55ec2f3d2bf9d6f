"""
OCSP responses that a server staples to its certificates, and when it does.

    policy               response is good   it has expired   there is none
    LENIENT_STAPLING     stapled            left out         left out
    STRICT_STAPLING      stapled            refused          left out
    MUST_STAPLE          stapled            refused          (refused at the start)

A certificate that says that it must be stapled is served as MUST_STAPLE. Clients that do not ask
are served whatever the policy says.

Envoy: Extensions::TransportSockets::Tls::Ocsp, DefaultTlsCertificateSelector::ocspStapleAction
"""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import Any

from cryptography import x509

from twisted_envoy.formatter.data_source import readDataSource, requireRegular
from twisted_envoy.values import dataclass


class StaplePolicy(Enum):
    """DownstreamTlsContext.OcspStaplePolicy."""

    LENIENT = "LENIENT_STAPLING"
    STRICT = "STRICT_STAPLING"
    MUST = "MUST_STAPLE"


@dataclass(frozen=True, slots=True)
class Staple:
    """
    One OCSP response.

    Attributes:
        der: what is sent.
        begins, ends: its validity; one without an end has expired from the beginning.
    """

    der: bytes
    begins: datetime
    ends: datetime | None

    def isValid(self, now: datetime) -> bool:
        """Whether it has not expired; one of the future counts as valid, as in Envoy."""
        return self.ends is not None and now < self.ends


def readStaple(view: Any, leaf: x509.Certificate) -> Staple | None:
    """
    Read a TlsCertificate's `ocsp_staple`.

    Args:
        view: of the TlsCertificate.
    Raises:
        ConfigError: in Envoy's words where it has some.
    """
    source = view.ocsp_staple
    if source is None:
        return None
    from cryptography.x509 import ocsp

    if source.which("specifier") == "inline_string":
        raise view.error("OCSP staple cannot be provided via inline_string", "ocsp_staple")
    requireRegular(source)
    data = readDataSource(source)
    if not data:
        return None
    try:
        response = ocsp.load_der_ocsp_response(data)
    except ValueError as problem:
        raise view.error(f"OCSP response is malformed: {problem}", "ocsp_staple") from problem
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise view.error("OCSP response was unsuccessful", "ocsp_staple")
    answers = list(response.responses)
    if len(answers) != 1:
        raise view.error("OCSP Response must be for one certificate only", "ocsp_staple")
    if answers[0].serial_number != leaf.serial_number:
        raise view.error("OCSP response does not match its TLS certificate", "ocsp_staple")
    return Staple(data, answers[0].this_update_utc, answers[0].next_update_utc)


def mustStaple(leaf: x509.Certificate) -> bool:
    """Whether a certificate says that a connection without a staple is not to be trusted."""
    try:
        feature = leaf.extensions.get_extension_for_class(x509.TLSFeature)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return x509.TLSFeatureType.status_request in feature.value


def stapleNow(staple: Staple | None, policy: StaplePolicy) -> bytes | None:
    """
    What a client that asks gets now.

    Returns:
        b"" for nothing; None refuses the connection.
    """
    if staple is not None and staple.isValid(datetime.now(timezone.utc)):
        return staple.der
    if policy is StaplePolicy.LENIENT or (policy is StaplePolicy.STRICT and staple is None):
        return b""
    return None
