"""/runtime and /runtime_modify: the runtime's layers and what they add up to."""

from __future__ import annotations

import json

from twisted.logger import Logger

from twisted_envoy.server.admin.json_text import MessageKit, jsonText
from twisted_envoy.server.admin.reply import JSON, OK, Query, Reply
from twisted_envoy.server.admin.target import AdminTarget

_log = Logger()

_USAGE = (
    "usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n"
    "       or send the parameters as form values\n"
    "use an empty value to remove a previously added override"
)


def runtime(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Every key with its value in each layer, "" where a layer has none."""
    layers = target.runtime.layers
    keys = sorted({key for _, values in layers for key in values})
    entries = {}
    for key in keys:
        texts = [valueText(values[key]) if key in values else "" for _, values in layers]
        final = next((text for text in reversed(texts) if text), "")
        entries[key] = {"final_value": final, "layer_values": texts}
    return Reply(
        jsonText({"entries": entries, "layers": [name for name, _ in layers]}), contentType=JSON
    )


def valueText(value: object) -> str:
    """One runtime value as a word; a fractional percent as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


def runtimeModify(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """Change the admin layer."""
    if not query.pairs:
        return Reply(_USAGE, 400)
    changes = {key: query.first(key) or "" for key, _ in query.pairs}
    if target.runtime.modify(changes):
        return OK
    _log.error("No admin layer specified", component="misc")
    return Reply("No admin layer specified", 503)
