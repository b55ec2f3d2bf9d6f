"""Whether files have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable


def signatureOf(paths: Iterable[str]) -> tuple[object, ...]:
    """Equal as long as none of the files has changed, links followed; None for a missing one."""
    found: list[object] = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            found.append(None)
        else:
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)
