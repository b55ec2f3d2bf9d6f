"""The monitor's config."""

from __future__ import annotations

from tests.server.refusing import RefusalTestCase
from tests.server.test_build_overload_manager import action, heap, overloaded


class FixedHeapFactoryTests(RefusalTestCase):
    """In a bootstrap."""

    def test_nothing(self) -> None:
        """There must be some."""
        self.assertRefused(
            overloaded([action()], [heap(max_heap_size_bytes=0)]),
            "fixed_heap: max heap size must be greater than 0",
        )
