"""The header_to_metadata filter's factory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.filters.http.header_to_metadata.filter import (
    HeaderToMetadata,
    Settings,
)
from twisted_envoy.extensions.filters.http.header_to_metadata.rules import (
    KeyValue,
    Rule,
    RuleStats,
    requestDirection,
    responseDirection,
)
from twisted_envoy.extensions.filters.http.header_to_metadata.values import (
    toNumber,
    toText,
    toValue,
)
from twisted_envoy.http.filter import HTTPFilter
from twisted_envoy.http.routes.rewrite import buildSubstitution
from twisted_envoy.interfaces.http import IHTTPFilterFactory
from twisted_envoy.network.matchers import fieldName
from twisted_envoy.stats.scope import Store

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_NAMESPACE = "envoy.filters.http.header_to_metadata"
_CONVERSIONS = {"STRING": toText, "NUMBER": toNumber, "PROTOBUF_VALUE": toValue}


@implementer(IHTTPFilterFactory)
class HeaderToMetadataFactory:
    """Builds the maker of HeaderToMetadata filters."""

    typeURL = "envoy.extensions.filters.http.header_to_metadata.v3.Config"
    routeTypeURL = typeURL
    category = "filters.http"
    descriptors = b""
    terminal = False

    def build(self, config: View, context: Any) -> Callable[[], HTTPFilter]:
        return partial(HeaderToMetadata, _settings(config, context))

    def buildRoute(self, config: View, context: Any) -> Settings:
        """Takes the place of the filter's own."""
        if not config.request_rules and not config.response_rules:
            raise config.error(
                "header_to_metadata_filter: Per filter configs must at least specify either "
                "request or response rules"
            )
        return _settings(config, context)


def _settings(config: View, context: Any) -> Settings:
    prefix: str = config.stat_prefix
    # Without a prefix there are no stats, as in Envoy: they count where nobody looks.
    root = context.stats.scope(f"http_filter_name.{prefix}") if prefix else Store()
    stats = RuleStats(root)
    return Settings(
        requestDirection(_rules(config.request_rules), stats),
        responseDirection(_rules(config.response_rules), stats),
    )


def _rules(views: Sequence[View]) -> list[Rule]:
    return [_rule(view) for view in views]


def _rule(view: View) -> Rule:
    header, cookie = view.header, view.cookie
    if header and cookie:
        raise view.error("Cannot specify both header and cookie in the same rule")
    if not header and not cookie:
        raise view.error("One of Cookie or Header option needs to be specified")
    present, missing = view.on_header_present, view.on_header_missing
    if present is None and missing is None:
        raise view.error(
            f"header to metadata filter: rule for {'header' if header else 'cookie'} "
            f"'{header or cookie}' has neither `on_header_present` nor `on_header_missing` set"
        )
    if present is not None and present.value and present.has("regex_value_rewrite"):
        raise present.error("Cannot specify both value and regex_value_rewrite")
    if cookie and view.remove:
        raise view.error("Cannot specify remove for cookie", "remove")
    if missing is not None:
        if not missing.value:
            raise missing.error("Cannot specify on_header_missing rule with an empty value")
        missing.moot("regex_value_rewrite", "there is no header to rewrite")
    return Rule(
        cookie.encode() if cookie else fieldName(header),
        bool(cookie),
        view.remove,
        None if present is None else _keyValue(present, True),
        None if missing is None else _keyValue(missing, False),
    )


def _keyValue(view: View, isPresent: bool) -> KeyValue:
    rewrite = None
    if isPresent and view.has("regex_value_rewrite"):
        rewrite = buildSubstitution(view.regex_value_rewrite)
    return KeyValue(
        view.metadata_namespace or _NAMESPACE,
        view.key,
        view.value.encode(),
        rewrite,
        _CONVERSIONS[view.type],
        view.encode == "BASE64",
    )
