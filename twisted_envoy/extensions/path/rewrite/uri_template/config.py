"""The factory of path template rewrites, and what it makes."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.uri_template import (
    Template,
    TemplateError,
    Variable,
    rewriteParts,
)
from twisted_envoy.interfaces.extensions import IExtensionFactory


class UriTemplateRewrite:
    """A path_template_rewrite."""

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = rewriteParts(text)

    def incompatible(self, template: object) -> str:
        """Why this cannot rewrite what a route's path_match_policy matches; "" when it can."""
        if not isinstance(template, Template):
            return (
                "unable to use envoy.path.rewrite.uri_template.uri_template_rewriter extension "
                "without envoy.path.match.uri_template.uri_template_matcher extension"
            )
        wanted = {part.name for part in self._parts if isinstance(part, Variable)}
        if wanted.issubset(template.names):
            return ""
        return (
            f"mismatch between variables in path_match_policy {template.text} and "
            f"path_rewrite_policy {self.text}"
        )

    def rewrite(self, path: bytes, template: Template) -> bytes:
        """The new path; neither has a query."""
        values = template.captures(path)
        if values is None:
            return path
        return b"".join(
            values[part.name] if isinstance(part, Variable) else part for part in self._parts
        )


@implementer(IExtensionFactory)
class UriTemplateRewriteFactory:
    """Builds a UriTemplateRewrite."""

    typeURL = "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig"
    category = "path.rewrite"

    def build(self, config: Any, context: Any) -> UriTemplateRewrite:
        text: str = config.path_template_rewrite
        try:
            return UriTemplateRewrite(text)
        except TemplateError:
            raise config.error(
                f"path_rewrite_policy.path_template_rewrite {text} is invalid",
                "path_template_rewrite",
            ) from None
