"""Rewrites paths that a path template has matched: `path_rewrite_policy` with `/u/{id}`."""

from twisted_envoy.extensions.path.rewrite.uri_template.config import UriTemplateRewriteFactory

factories = (UriTemplateRewriteFactory(),)
