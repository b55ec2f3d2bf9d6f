"""Routes by path templates: `path_match_policy` with `/users/{id}/**`."""

from twisted_envoy.extensions.path.match.uri_template.config import UriTemplateMatchFactory

factories = (UriTemplateMatchFactory(),)
