"""Writing one record to every access log of a connection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted_envoy.interfaces.access_log import IAccessLogger
    from twisted_envoy.state.stream_info import FormatContext

_log = Logger("misc")


def writeRecord(logs: Iterable[IAccessLogger], context: FormatContext) -> None:
    """Write to each log; one that raises is told of and keeps no other from its record."""
    for log in logs:
        try:
            log.log(context)
        except Exception:
            _log.failure("an access logger raised")
