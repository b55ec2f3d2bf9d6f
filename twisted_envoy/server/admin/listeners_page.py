"""/listeners: which listeners there are and where they listen."""

from __future__ import annotations

from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.reply import JSON, OK, Query, Reply
from twisted_envoy.server.admin.target import AdminTarget, ShownListener
from twisted_envoy.state.addresses import addressText


def listeners(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """`name::address` lines, or envoy.admin.v3.Listeners with format=json."""
    shown: list[ShownListener] = list(target.listeners)
    if query.first("format") == "json":
        statuses = [_status(kit, listener) for listener in shown]
        return Reply(
            kit.text(kit.new("envoy.admin.v3.Listeners", listener_statuses=statuses)),
            contentType=JSON,
        )
    return Reply(
        "".join(
            f"{listener.name}::{addressText(address)}\n"
            for listener in shown
            for address in (listener.address, *listener.additionalAddresses)
        )
    )


def _status(kit: MessageKit, listener: ShownListener) -> object:
    return kit.new(
        "envoy.admin.v3.ListenerStatus",
        name=listener.name,
        local_address=kit.address(listener.address),
        additional_local_addresses=[kit.address(one) for one in listener.additionalAddresses],
    )


def drainListeners(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Stop listeners: at once, or after the drain time (graceful), or only drain (skip_exit)."""
    target.drain.drainListeners(
        target.listeners,
        graceful=query.has("graceful"),
        inboundOnly=query.has("inboundonly"),
        skipExit=query.has("skip_exit"),
    )
    return OK
