"""
The garbage collector, out of the way while much is made that is there to stay.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collectorPaused() -> Iterator[None]:
    """Keep the garbage collector from walking a growing tree again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
