"""A value of metadata, as it goes from an input to a matcher."""

from __future__ import annotations

from typing import NamedTuple


class MetadataValue(NamedTuple):
    """value: as JSON would have it; None when there is none."""

    value: object
