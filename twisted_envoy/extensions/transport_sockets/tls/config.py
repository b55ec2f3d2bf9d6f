"""The factories of TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from OpenSSL import SSL
from zope.interface import implementer

from twisted_envoy.codec.tls_errors import problemOf
from twisted_envoy.extensions.common.tls.common import CommonTLS, readCommon
from twisted_envoy.extensions.common.tls.context import (
    ServerContexts,
    ServerSettings,
    clientContext,
)
from twisted_envoy.extensions.common.tls.rotation import Rotating
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.verifier import Verifier
from twisted_envoy.extensions.transport_sockets.tls.downstream import DownstreamTLS
from twisted_envoy.extensions.transport_sockets.tls.upstream import UpstreamTLS
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.stats.metrics import Counter

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_PACKAGE = "envoy.extensions.transport_sockets.tls.v3"
_RAW = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"


@implementer(IExtensionFactory)
class DownstreamTLSFactory:
    """Builds DownstreamTLS."""

    typeURL = f"{_PACKAGE}.DownstreamTlsContext"
    category = "transport_sockets"

    def build(self, config: View, context: Any) -> DownstreamTLS:
        common = config.common_tls_context
        stats = TLSStats(context.scope.scope("ssl."))
        tls = readCommon(
            common,
            stats,
            True,
            bool(config.require_client_certificate),
            config.prefer_client_ciphers,
            context,
        )
        updated, rejected = _count(context.scope, "server_ssl_socket_factory.", tls)
        if not (tls.own or tls.named):
            raise config.error("No TLS certificates found for server context")
        timeout = config.session_timeout
        server = ServerSettings(
            not config.disable_stateless_session_resumption,
            not config.disable_stateful_session_resumption,
            None if timeout is None else int(timeout),
            bool(config.full_scan_certs_on_sni_mismatch),
        )
        message: Any = config.message
        if message.ocsp_staple_policy == 0:
            config.moot("ocsp_staple_policy", "there is no staple to be strict about")

        def make() -> tuple[ServerContexts, Verifier]:
            settings, certificates = tls.resolve()
            try:
                return ServerContexts(settings, certificates, server), settings.verifier
            except (SSL.Error, ValueError) as problem:
                raise config.error(_text(problem, settings.parameters.ciphers)) from problem

        seconds = context.reactor.seconds
        return DownstreamTLS(
            Rotating(make, tls.watched, seconds, updated, rejected),
            stats,
            context.registry.turn.post,
            seconds,
        )


@implementer(IExtensionFactory)
class UpstreamTLSFactory:
    """Builds UpstreamTLS."""

    typeURL = f"{_PACKAGE}.UpstreamTlsContext"
    category = "transport_sockets"

    def build(self, config: View, context: Any) -> UpstreamTLS:
        stats = TLSStats(context.scope.scope("ssl."))
        tls = readCommon(config.common_tls_context, stats, False, context=context)
        updated, rejected = _count(context.scope, "client_ssl_socket_factory.", tls)
        if len(tls.own) + len(tls.named) > 1:
            raise config.error("Multiple TLS certificates are not supported for client contexts")
        message: Any = config.message
        if not message.allow_renegotiation:
            config.moot("allow_renegotiation", "there is none")

        def make() -> tuple[SSL.Context, Verifier]:
            settings, certificates = tls.resolve()
            try:
                return clientContext(settings, certificates), settings.verifier
            except (SSL.Error, ValueError) as problem:
                raise config.error(_text(problem, settings.parameters.ciphers)) from problem

        most = config.max_session_keys
        factory = context.extensions.factory(_RAW)
        return UpstreamTLS(
            factory.build(None, context),
            Rotating(make, tls.watched, context.reactor.seconds, updated, rejected),
            stats,
            context.registry.turn.post,
            config.sni,
            config.auto_host_sni,
            1 if most is None else most,
            bool(tls.protocols),
            tls.verifies and config.auto_sni_san_validation,
        )


def _count(scope: Any, prefix: str, tls: CommonTLS) -> tuple[Counter, Counter]:
    """The counters of secrets that change: those that were taken, and those that were not."""
    scope.counter(prefix + "downstream_context_secrets_not_ready")
    scope.counter(prefix + "upstream_context_secrets_not_ready")
    updated = scope.counter(prefix + "ssl_context_update_by_sds")
    names = [source.name for source in (*tls.named, tls.trusted) if source is not None]
    rejected = [scope.counter(f"sds.{name}.update_rejected") for name in names]
    return updated, rejected[0] if rejected else Counter("")


def _text(problem: Exception, ciphers: str) -> str:
    if isinstance(problem, SSL.Error):
        reasons = problemOf(problem.args[0] if problem.args else ()).reasons
        if "NO_CIPHER_MATCH" in reasons:
            return f"Failed to initialize cipher suites {ciphers}"
        return f"Failed to set up TLS: {', '.join(reasons)}"
    return str(problem)
