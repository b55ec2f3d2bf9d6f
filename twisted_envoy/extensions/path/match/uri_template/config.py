"""The factory of path templates."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from twisted_envoy.extensions.common.uri_template import Template, TemplateError
from twisted_envoy.interfaces.extensions import IExtensionFactory


@implementer(IExtensionFactory)
class UriTemplateMatchFactory:
    """Builds a Template, whose `matches(path)` decides."""

    typeURL = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"
    category = "path.match"

    def build(self, config: Any, context: Any) -> Template:
        text: str = config.path_template
        try:
            return Template(text)
        except TemplateError as problem:
            raise config.error(
                f"path_match_policy.path_template {text} is invalid: {problem}", "path_template"
            ) from None
