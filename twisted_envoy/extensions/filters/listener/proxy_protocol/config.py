"""The factory of the PROXY protocol filter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.common.proxy_protocol import readPassThrough
from twisted_envoy.extensions.filters.listener.proxy_protocol.filter import (
    ProxyProtocol,
    ProxyProtocolSettings,
    ProxyProtocolStats,
)
from twisted_envoy.extensions.filters.listener.proxy_protocol.rules import NAMESPACE, TLVRule
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_VERSIONS = {"V1": 1, "V2": 2}


@implementer(IExtensionFactory)
class ProxyProtocolFactory:
    """Builds the maker of ProxyProtocol filters."""

    typeURL = "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"
    category = "filters.listener"

    def build(self, config: View, context: Any) -> Callable[[], ProxyProtocol]:
        disallowed = {_VERSIONS[name] for name in config.disallowed_versions}
        allowed = frozenset(_VERSIONS.values()) - disallowed
        if not allowed:
            raise config.error(
                "Proxy Protocol filter is misconfigured: all proxy protocol versions are "
                "disallowed.",
                "disallowed_versions",
            )
        prefix = config.stat_prefix
        name = f"proxy_proto.{prefix}." if prefix else "proxy_proto."
        settings = ProxyProtocolSettings(
            ProxyProtocolStats(context.stats, name),
            allowed,
            config.allow_requests_without_proxy_protocol,
            {rule.tlv_type: _rule(rule.on_tlv_present) for rule in config.rules},
            config.tlv_location == "FILTER_STATE",
            readPassThrough(config.pass_through_tlvs),
        )
        return partial(ProxyProtocol, settings)


def _rule(view: View | None) -> TLVRule:
    if view is None:
        return TLVRule(NAMESPACE, "", False)
    namespace = view.metadata_namespace or NAMESPACE
    return TLVRule(namespace, view.key, view.value_string_encoding == "BASE64")
