"""/logging: show and change the log levels."""

from __future__ import annotations

from twisted.logger import Logger

from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.reply import Query, Reply
from twisted_envoy.server.admin.target import AdminTarget
from twisted_envoy.server.log_levels import (
    LEVELS,
    LOGGERS,
    LogControl,
    LogControlError,
    levelWeight,
)

_log = Logger()

_USAGE = f"""
usage: /logging?<name>=<level> (change single level)
usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)
usage: /logging?level=<level> (change all levels)
usage: /logging?group=<group_name>:<level> (change group of loggers)
levels: {" ".join(LEVELS)} 
"""  # noqa: W291


class _Wrong(Exception):
    """What is wrong with the parameters."""


def logging(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """All loggers with their levels, after the change that was asked for."""
    try:
        _change(target.logControl, query)
    except _Wrong as error:
        return Reply(f"error: {error}\n{_USAGE}{_active(target.logControl)}", 400)
    return Reply(_active(target.logControl))


def _active(control: LogControl) -> str:
    lines = [f"  {name}: {control.levelOf(name)}\n" for name in LOGGERS]
    return f"active loggers:\n{''.join(lines)}\n"


def _change(control: LogControl, query: Query) -> None:
    if not query.pairs:
        return
    if len(query.pairs) > 1:
        raise _Wrong("invalid number of parameters")
    key, value = query.pairs[0]
    if not value:
        return
    if key == "group":
        raise _Wrong("group parameter requires fine-grain logging to be enabled")
    if key == "level":
        _changeAll(control, value)
    else:
        _changeSome(control, _paths(value) if key == "paths" else [(key, _level(value))])


def _changeAll(control: LogControl, level: str) -> None:
    try:
        control.setAll(level)
    except LogControlError:
        raise _Wrong("unknown logger level") from None
    _log.info("change all log levels: level='{new}'", new=level, component="misc")


def _paths(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split(","):
        name, _, level = part.partition(":")
        if not name or not level:
            raise _Wrong("empty logger name or empty logger level")
        pairs.append((name, _level(level)))
    return pairs


def _level(text: str) -> str:
    """The text, if it is one: levels are looked at before names."""
    try:
        levelWeight(text)
    except LogControlError:
        raise _Wrong("unknown logger level") from None
    return text


def _changeSome(control: LogControl, pairs: list[tuple[str, str]]) -> None:
    try:
        control.setLevels(pairs)
    except LogControlError:
        raise _Wrong("unknown logger name") from None
    for name, level in pairs:
        _log.info("change log level: name='{name}' level='{new}'", name=name, new=level)
