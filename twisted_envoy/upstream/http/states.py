"""Whether a pooled connection takes another request; http.connection says what changes it."""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Whether a connection takes another stream."""

    BEGINNING = 1
    READY = 2
    BUSY = 3
    DRAINING = 4
    CLOSED = 5


READY, BUSY, DRAINING = State.READY, State.BUSY, State.DRAINING
"""For those who ask at each request: looking for them in an Enum takes its time."""
