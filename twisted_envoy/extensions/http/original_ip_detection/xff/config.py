"""The factory of detection by x-forwarded-for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.http.edge.detection import Detector, cidrDetector, xffDetector
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.cidr import CIDRTable
from twisted_envoy.network.matchers import buildCIDR

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class XFFFactory:
    """Builds detectors that count trusted hops, or know trusted proxies by their addresses."""

    typeURL = "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig"
    category = "http.original_ip_detection"
    descriptors = b""

    def build(self, config: View, context: Any) -> Detector:
        hops: int = config.xff_num_trusted_hops
        trusted = config.xff_trusted_cidrs
        skipsAppend = config.skip_xff_append is not False
        if trusted is None:
            return xffDetector(hops, skipsAppend)
        if hops:
            raise config.error(
                "Cannot set both xff_num_trusted_hops and xff_trusted_cidrs",
                "xff_num_trusted_hops",
            )
        ranges = set(map(buildCIDR, trusted.cidrs))
        if not ranges:
            return xffDetector(0, skipsAppend)
        return cidrDetector(CIDRTable((each, True) for each in ranges), skipsAppend)
