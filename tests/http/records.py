"""An access log that tells everything there is to tell of a request."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.http.manager import LOG
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.operators.entry import compileCommand
from twisted_envoy.formatter.parser import Command, parse
from twisted_envoy.formatter.sameness import ANSWER, samenessOf

_POINTS = ("DS_RX_BEG", "DS_RX_END", "US_TX_BEG", "US_TX_END", "US_RX_BEG", "US_RX_BODY_BEG")
POINTS = (*_POINTS, "US_RX_END", "DS_TX_BEG", "DS_TX_END", "US_CX_BEG", "US_CX_END", "US_HS_END")
_HEADERS = (":METHOD", ":PATH", ":AUTHORITY", ":SCHEME", "HOST", "X-REQUEST-ID", "USER-AGENT")
_SENT = ("X-FORWARDED-FOR", "X-FORWARDED-PROTO", "X-ENVOY-EXPECTED-RQ-TIMEOUT-MS", "ACCEPT", "VIA")
_RECEIVED = (":STATUS", "DATE", "SERVER", "CONTENT-LENGTH", "X-ENVOY-UPSTREAM-SERVICE-TIME", "VIA")
_TIMES = ("", "%s.%3f", "%Y-%m-%dT%H:%M:%E6S%z")
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "CLUSTER_METADATA": ("a:b",),
    "COALESCE": ('{"operators": ["ROUTE_NAME", {"command": "REQ", "param": ":path"}]}',),
    "COMMON_DURATION": (
        *(f"DS_RX_BEG:{end}:us" for end in POINTS),
        *(f"{begin}:DS_TX_END:us" for begin in POINTS),
    ),
    "DYNAMIC_METADATA": ("a:b", "a"),
    "ENVIRONMENT": ("PATH",),
    "FILTER_STATE": ("a", "a:PLAIN"),
    "METADATA": ("ROUTE:a:b", "CLUSTER:a:b", "UPSTREAM_HOST:a:b", "VIRTUAL_HOST:a:b"),
    "PATH": ("", "NQ", "NQ:ORIG", "WQ:PATH"),
    "QUERY_PARAM": ("a", "b"),
    "QUERY_PARAMS": ("", "ORIG", "DECODED"),
    "REQ": (*_HEADERS, *_SENT),
    "REQUEST_HEADER": _HEADERS,
    "STREAM_INFO_REQ": (":PATH",),
    "RESP": _RECEIVED,
    "RESPONSE_HEADER": _RECEIVED,
    "RESPONSE_TRAILER": ("a",),
    "TRAILER": ("a",),
    "RESPONSE_CODE_DETAILS": ("", "ALLOW_WHITESPACES"),
    "START_TIME": _TIMES,
    "START_TIME_LOCAL": _TIMES,
    "EMIT_TIME": _TIMES,
    "UPSTREAM_FILTER_STATE": ("a", "a:PLAIN"),
    "UPSTREAM_METADATA": ("a:b",),
}
"""By command; the others are taken as they are."""
LEFT_OUT = frozenset(("UNIQUE_ID", "CEL", "XFCC_VALUE"))
"""Another text each time; and what no format here has."""
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def everything() -> dict[str, str]:
    """Every operator, with all sorts of arguments."""
    made = {}
    for name in sorted(BUILT_IN):
        for given in ARGUMENTS.get(name, ("",)):
            if name not in LEFT_OUT:
                made[f"{name} {given}"] = f"%{name}({given})%" if given else f"%{name}%"
    return made


def logTo(path: str, **config: Any) -> dict[str, Any]:
    """An access log that goes to a file."""
    typed = {"@type": LOG["typed_config"]["@type"], "path": path, **config}
    return {"name": path, "typed_config": typed}


def logs() -> list[dict[str, Any]]:
    """Of everything as JSON; of the same as text; Envoy's own line."""
    text = "\t".join(everything().values()) + "\n"
    return [
        logTo("json", log_format={"json_format": everything()}),
        logTo("text", log_format={"text_format_source": {"inline_string": text}}),
        logTo("usual"),
    ]


def stampedLogs(sameness: int = ANSWER) -> list[dict[str, Any]]:
    """The same of all that needs no record, if requests are so much alike."""
    told = {}
    for name, source in everything().items():
        (command,) = parse(source)
        assert isinstance(command, Command)
        said = compileCommand(command, BUILT_IN)
        isMoment = said.moment is not None and (sameness >= ANSWER or not said.isLate)
        if samenessOf(command) <= sameness or isMoment or said.isID:
            told[name] = source
    text = "\t".join(told.values()) + "\n"
    return [
        logTo("json", log_format={"json_format": {**told, "deep": [told]}}),
        logTo("text", log_format={"text_format_source": {"inline_string": text}}),
        logTo("usual"),
    ]


def recorded(envoy: Any) -> list[Any]:
    """The lines of all these logs, with the same word for every id that was made."""
    lines = [
        _ID.sub("id", line) for name in ("json", "text", "usual") for line in envoy.lines(name)
    ]
    return [json.loads(line) if line.startswith("{") else line for line in lines]
