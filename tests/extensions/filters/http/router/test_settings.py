"""Tests for router.settings."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.router.support import Routing


class QueueTests(SynchronousTestCase):
    """All who wait equally long wait together."""

    def test_sameDelaySameQueue(self):
        settings = Routing().make().settings

        self.assertIs(settings.queue(1.5), settings.queue(1.5))
        self.assertIsNot(settings.queue(1.5), settings.queue(2.5))

    def test_wishesOfClientsDoNotPileUp(self):
        settings = Routing().make().settings

        for number in range(10_000):
            settings.queue(number / 1000)

        self.assertLess(len(settings.queues), 300)
