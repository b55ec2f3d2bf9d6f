"""A value of metadata, as it goes from an input to a matcher."""

from __future__ import annotations

from typing import NamedTuple


class MetadataValue(NamedTuple):
    """value: as JSON would have it. isThere: else it is None."""

    value: object
    isThere: bool = True


NOWHERE = MetadataValue(None, False)
