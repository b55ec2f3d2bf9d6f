"""
Records of carried requests with one head, and of their replies.

Many replies are alike, too: with the same headers, of one size, after as many milliseconds. All of
such a record but its time and its id is known. That is kept with the headers of the reply, by what
is known of the request, which may have come over any connection.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from twisted_envoy.formatter.sameness import REPLY, REQUEST
from twisted_envoy.http.edge.request_id import makesUUIDs
from twisted_envoy.network.records import AlikeRecords, WriteStamp
from twisted_envoy.state.stream_info import FormatContext

_log = Logger("misc")

_MOST_REQUESTS = 8
_MOST_REPLIES = 8
"""For so many kinds of requests, and replies to each, it is kept with one reply's headers."""

Reply = tuple[int, int]
"""Bytes of the body, milliseconds."""
Kept = dict[Any, dict[Reply, WriteStamp]]
"""By the loggers of the records."""


class ReplyRecords:
    """
    Of one head, answered by one host.

    Args:
        logs: all get each. ids: gives each a new x-request-id; None: all have the same.
    """

    __slots__ = ("_isStampable", "_records")

    def __init__(self, logs: Any, ids: Any) -> None:
        self._records = AlikeRecords(logs, REQUEST, ids is None)
        self._isStampable = ids is None or makesUUIDs(ids)

    def stamped(self, kept: Kept, reply: Reply, began: float, value: bytes) -> bool:
        """
        Write a record that differs only in what is given; False, and nothing was done: it has more.

        Args:
            kept: with the headers of the reply. began: seconds. value: its x-request-id.
        """
        found = kept.get(self._records.loggers)
        write = None if found is None else found.get(reply)
        if write is None:
            return False
        try:
            write(began, value)
        except Exception:
            _log.failure("an access logger raised")
        return True

    def write(self, kept: Kept, reply: Reply, context: FormatContext) -> None:
        """Write any record; from the second one with such a reply what stays is kept."""
        records = self._records
        records.write(context)
        loggers = records.loggers
        if not (self._isStampable and loggers):
            return
        found = kept.get(loggers)
        if found is None:
            if len(kept) >= _MOST_REQUESTS:
                kept.clear()
            kept[loggers] = {}
            return
        write = records.stamp(context, REPLY)
        if write is None:
            self._isStampable = False
            return
        if len(found) >= _MOST_REPLIES:
            found.clear()
        found[reply] = write
