"""What the tests of config share: texts to bootstraps, and what real Envoy 1.40 said to them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from twisted_envoy.config.bootstrap import BOOTSTRAP, decodeText, envoyPlans, loadBootstrap
from twisted_envoy.config.load import Text
from twisted_envoy.config.record import AnyRecord, Record
from twisted_envoy.config.rules import validate
from twisted_envoy.config.unread import children
from twisted_envoy.config.view import View, viewOf
from twisted_envoy.errors import ConfigError

TCP_PROXY = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


def verdicts() -> dict[str, Any]:
    """Return the recorded answers of Envoy 1.40 (`--mode validate`, folded and cut)."""
    recorded: dict[str, Any] = json.loads(
        Path(__file__).with_name("envoy_verdicts.json").read_text("utf-8")
    )
    return recorded


def load(text: str) -> View:
    """Load a YAML bootstrap."""
    return loadBootstrap(yamlText=text)[0]


def decode(text: str, typeName: str = BOOTSTRAP, isJSON: bool = False) -> Record:
    """Decode a text as any message type, and check its rules."""
    plan = envoyPlans().find(typeName)
    assert plan is not None
    warnings: list[ConfigError] = []
    record, unit = decodeText(Text("t.yaml", text, isJSON), plan, warnings)
    validate(record, unit, warnings, early=typeName == BOOTSTRAP)
    return record


def view(text: str, typeName: str = BOOTSTRAP) -> Any:
    """Return the View of a text, decoded as any message type."""
    return viewOf(decode(text, typeName))


def openAll(record: Record) -> None:
    """Open every Any of a tree, as factories would."""
    if isinstance(record, AnyRecord):
        if record.content is not None:
            viewOf(record).open()
            openAll(record.content)
        return
    for _, _, below in record.entries.values():
        for child in children(below):
            openAll(child)


def outcome(text: str, isJSON: bool = False, anys: bool = False) -> str:
    """Return `OK`, or the error's text with runs of blanks folded as the records have them."""
    try:
        record = decode(text, isJSON=isJSON)
        if anys:
            openAll(record)
    except ConfigError as error:
        return re.sub(r"\s+", " ", str(error)).strip()
    return "OK"
