"""The bootstrap's default tracer, which only HTTP connection managers would use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_TRACERS = ("envoy.config.trace.", "envoy.extensions.tracers.")


def checkTracing(bootstrap: View) -> None:
    """
    Check `tracing`; it is as good as obeyed when nothing in the bootstrap could trace.

    Envoy looks no further than this at a tracer that nobody uses.

    Raises:
        ConfigError: it names no tracer.
    """
    message: Any = bootstrap.message
    if not bootstrap.has("tracing") or any(map(_traces, message.static_resources.listeners)):
        return
    tracing = bootstrap.tracing
    http = tracing.http
    if http is not None:
        holder = http.typed_config
        kind = "" if holder is None else holder.typeName
        if not kind.startswith(_TRACERS):
            raise http.error(
                f"Didn't find a registered implementation for '{http.name}' with type URL: '{kind}'"
            )
    tracing.take()


def _traces(listener: Any) -> bool:
    chains = [*listener.filter_chains, listener.default_filter_chain]
    filters = [one for chain in chains for one in chain.filters]
    return any(one.typed_config.type_url.endswith(f"/{_HTTP}") for one in filters)
