"""Whatever happens, requests that need no stream leave the same behind as those that have one."""

from __future__ import annotations

from tests.extensions.filters.http.router.carrying import CarrierCase
from tests.http.records import logs
from tests.http.stories import Story
from twisted_envoy.http.connection_life import ConnectionLife
from twisted_envoy.http.ready import ReadyAnswer


class StoriesTests(CarrierCase):
    """Some, always the same; others were tried by thousands."""

    def test_same(self) -> None:
        """Bytes, ends, counters, histograms and records are the same."""
        answered = carriedInAll = 0
        answersAtOnce = ConnectionLife.answersAtOnce

        def counted(connection: ConnectionLife, ready: ReadyAnswer) -> bool:
            nonlocal answered
            isAnswered = answersAtOnce(connection, ready)
            answered += isAnswered
            return isAnswered

        self.patch(ConnectionLife, "answersAtOnce", counted)
        for number in range(50):
            with self.subTest(number):
                story = Story(number)
                self.scene = story.scene
                self.logs = logs() if number % 2 else []
                arguments = (story.routes, story.filters, story.cluster)
                carriedInAll += self.both(story.play, *arguments, **story.manager)[1]

        self.assertGreater(answered, 30)
        self.assertGreater(carriedInAll, 50)
