"""/stats, /stats/prometheus, /reset_counters: answers made by stats.render."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.reply import HTML, JSON, OK, TEXT, Query, Reply
from twisted_envoy.server.admin.target import AdminTarget
from twisted_envoy.stats.prometheus import renderPrometheus
from twisted_envoy.stats.query import StatsQuery, StatsQueryError
from twisted_envoy.stats.render import renderJSON, renderText


def stats(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """All stats, in the format that is asked for."""
    try:
        wanted = StatsQuery.parse(query.arguments())
    except StatsQueryError as error:
        return Reply(str(error), 400)
    if wanted.format == "json":
        return Reply(lambda: renderJSON(target.store, wanted), contentType=JSON)
    if wanted.format == "prometheus":
        return Reply(lambda: renderPrometheus(target.store, wanted), contentType=TEXT)
    if wanted.format in ("html", "active-html"):
        return Reply(lambda: _page(renderText(target.store, wanted)), contentType=HTML)
    return Reply(lambda: renderText(target.store, wanted))


def prometheus(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """All stats for Prometheus."""
    try:
        wanted = StatsQuery.parse(query.arguments())
    except StatsQueryError as error:
        return Reply(str(error), 400)
    shown = replace(wanted, format="prometheus")
    return Reply(lambda: renderPrometheus(target.store, shown))


def _page(text: str) -> str:
    return (
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n  <title>Envoy Admin</title>\n</head>\n"
        f"<body>\n<pre>\n{escape(text)}</pre>\n</body>\n</html>\n"
    )


def resetCounters(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """All counters to zero."""
    target.store.resetCounters()
    return OK
