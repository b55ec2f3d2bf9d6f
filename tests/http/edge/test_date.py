"""Tests for twisted_envoy.http.edge.date."""

from __future__ import annotations

from email.utils import formatdate

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.edge.date import DateText, httpDate


class DateTests(SynchronousTestCase):
    """The date header."""

    @given(st.integers(0, 2**33))
    def test_format(self, seconds: int) -> None:
        """As RFC 9110 has it, in English and Greenwich."""
        self.assertEqual(httpDate(seconds).decode(), formatdate(seconds, usegmt=True))

    def test_followsTheClock(self) -> None:
        """Made once a second."""
        clock = Clock()
        date = DateText(clock.seconds)
        first = date.now()
        clock.advance(0.9)
        self.assertIs(date.now(), first)
        clock.advance(0.2)
        self.assertEqual(date.now(), b"Thu, 01 Jan 1970 00:00:01 GMT")
