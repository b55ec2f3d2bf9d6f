"""The factories of TLS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL
from zope.interface import implementer

from twisted_envoy.codec.tls_errors import problemOf
from twisted_envoy.extensions.common.tls.certificate import Certificate
from twisted_envoy.extensions.common.tls.common import CommonTLS, readCommon
from twisted_envoy.extensions.common.tls.context import (
    ServerContexts,
    ServerSettings,
    clientContext,
)
from twisted_envoy.extensions.common.tls.rotation import Rotating
from twisted_envoy.extensions.common.tls.shown import shownCertificates
from twisted_envoy.extensions.common.tls.staple import StaplePolicy
from twisted_envoy.extensions.common.tls.stats import TLSStats
from twisted_envoy.extensions.common.tls.verifier import Verifier
from twisted_envoy.extensions.transport_sockets.tls.downstream import DownstreamTLS
from twisted_envoy.extensions.transport_sockets.tls.upstream import UpstreamTLS
from twisted_envoy.interfaces.extensions import CERTIFICATES, IExtensionFactory
from twisted_envoy.stats.metrics import Counter

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_PACKAGE = "envoy.extensions.transport_sockets.tls.v3"
_TOLD = "the newest version of TLS for hosts was told"
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
            bool(_required(config, context)),
            config.prefer_client_ciphers,
            context,
        )
        if not (tls.own or tls.named):
            raise config.error("No TLS certificates found for server context")
        config.moot("require_sni", "Envoy lets clients without a server name in all the same")
        timeout = config.session_timeout
        server = ServerSettings(
            not config.disable_stateless_session_resumption,
            not config.disable_stateful_session_resumption,
            None if timeout is None else int(timeout),
            bool(config.full_scan_certs_on_sni_mismatch),
            StaplePolicy(config.ocsp_staple_policy or StaplePolicy.LENIENT.value),
        )

        def make() -> tuple[ServerContexts, Verifier]:
            settings, certificates = tls.resolve()
            _checkStaples(config, certificates, server.staplePolicy)
            try:
                contexts = ServerContexts(settings, certificates, server)
            except (SSL.Error, ValueError) as problem:
                raise config.error(_text(problem)) from problem
            return contexts, settings.verifier

        rotating = Rotating(
            make, tls.subscriptions, _updates(context.scope, "server_ssl_socket_factory.")
        )
        verifier = rotating.value[1]
        if verifier.required and not verifier.asks:
            context.warn(
                "no client is asked for a certificate, as in Envoy: no validation_context says "
                "whom to trust",
                config,
            )
        _show(context, lambda: (rotating.value[1], rotating.value[0].certificates))
        return DownstreamTLS(rotating, stats, context.registry.turn.post, context.reactor.seconds)


def _required(config: View, context: Any) -> bool | None:
    """Whether a client must show a certificate; silence is told when one would be verified."""
    found: bool | None = config.require_client_certificate
    common = config.common_tls_context
    if found is None and common is not None and common.which("validation_context_type"):
        context.warn(
            "Using deprecated insecure default of not requiring client cert when a validation "
            "context is configured. This default will be changed in a future version. Please "
            "explicitly configure a value for require_client_certificate."
        )
    return found


def _checkStaples(
    config: View, certificates: tuple[Certificate, ...], policy: StaplePolicy
) -> None:
    for certificate in certificates:
        if certificate.staple is not None:
            continue
        if certificate.isMustStaple:
            raise config.error("OCSP response is required for must-staple certificate")
        if policy is StaplePolicy.MUST:
            raise config.error(
                "Required OCSP response is missing from TLS context", "ocsp_staple_policy"
            )


@implementer(IExtensionFactory)
class UpstreamTLSFactory:
    """Builds UpstreamTLS."""

    typeURL = f"{_PACKAGE}.UpstreamTlsContext"
    category = "transport_sockets"

    def build(self, config: View, context: Any) -> UpstreamTLS:
        stats = TLSStats(context.scope.scope("ssl."))
        tls = readCommon(config.common_tls_context, stats, False, context=context)
        if len(tls.own) + len(tls.named) > 1:
            raise config.error("Multiple TLS certificates are not supported for client contexts")
        if "\0" in config.sni:
            raise config.error("SNI names containing NULL-byte are not allowed", "sni")
        message: Any = config.message
        if not message.allow_renegotiation:
            config.moot("allow_renegotiation", "there is none")
        config.moot("enforce_rsa_key_usage", "it is enforced, whatever this says")

        def make() -> tuple[SSL.Context, Verifier, tuple[Certificate, ...]]:
            settings, certificates = tls.resolve()
            try:
                made = clientContext(settings, certificates)
            except (SSL.Error, ValueError) as problem:
                raise config.error(_text(problem)) from problem
            return made, settings.verifier, certificates

        rotating = Rotating(
            make, tls.subscriptions, _updates(context.scope, "client_ssl_socket_factory.")
        )
        _show(context, lambda: rotating.value[1:])
        _warn(config, context, rotating.value[1])
        most = config.max_session_keys
        factory = context.extensions.factory(_RAW)
        return UpstreamTLS(
            factory.build(None, context),
            rotating,
            stats,
            context.registry.turn.post,
            config.sni,
            config.auto_host_sni,
            1 if most is None else most,
            bool(tls.protocols),
            self._checksName(config, tls),
        )

    def _checksName(self, config: View, tls: CommonTLS) -> bool:
        """Whether a server's certificate must have the name that was asked for."""
        if not config.auto_sni_san_validation:
            return False
        if not tls.verifies:
            common = config.common_tls_context
            isSet = common is not None and bool(common.which("validation_context_type"))
            raise config.error(
                "'auto_sni_san_validation' was configured without "
                + ("configuring a trusted CA" if isSet else "a validation context"),
                "auto_sni_san_validation",
            )
        return True


def _warn(config: View, context: Any, verifier: Verifier) -> None:
    """Say what Envoy's defaults are where they surprise."""
    if not verifier.asks:
        context.warn(
            "whoever answers is taken for the server, as in Envoy: no validation_context says whom "
            "to trust",
            config,
        )
    common: Any = config.message
    parameters = common.common_tls_context.tls_params
    if not (parameters.tls_maximum_protocol_version or parameters.compliance_policies):
        told: list[bool] = context.singleton(_TOLD, list)
        if not told:
            told.append(True)
            context.warn(
                "hosts are offered TLS 1.2 at most, as by Envoy, where no "
                "tls_maximum_protocol_version is set",
                config,
            )


def _updates(scope: Any, prefix: str) -> Counter:
    """Counts what secrets brought."""
    scope.counter(prefix + "downstream_context_secrets_not_ready")
    scope.counter(prefix + "upstream_context_secrets_not_ready")
    found: Counter = scope.counter(prefix + "ssl_context_update_by_sds")
    return found


def _show(context: Any, current: Callable[[], tuple[Verifier, tuple[Certificate, ...]]]) -> None:
    """Have `/certs` tell of what is there then."""
    functions: list[object] = context.singleton(CERTIFICATES, list)
    functions.append(lambda: shownCertificates(*current(), datetime.now(timezone.utc)))


def _text(problem: Exception) -> str:
    if isinstance(problem, SSL.Error):
        reasons = problemOf(problem.args[0] if problem.args else ()).reasons
        return f"Failed to set up TLS: {', '.join(reasons)}"
    return str(problem)
