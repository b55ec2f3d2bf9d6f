"""How long what commands say stays the same; that it does is tried in tests of carried requests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.formatter import sameness
from twisted_envoy.formatter.operators import BUILT_IN
from twisted_envoy.formatter.parser import Command
from twisted_envoy.formatter.sameness import ANSWER, EACH, REPLY, REQUEST, samenessOf


class SamenessTests(SynchronousTestCase):
    """Of single commands."""

    def test_kinds(self) -> None:
        """What the request says, what the answer says, and what is another each time."""
        self.assertEqual(samenessOf(Command("PROTOCOL")), REQUEST)
        self.assertEqual(samenessOf(Command("REQ", ":path")), REQUEST)
        self.assertEqual(samenessOf(Command("RESP", "date")), REPLY)
        self.assertEqual(samenessOf(Command("DURATION")), REPLY)
        self.assertEqual(samenessOf(Command("COMMON_DURATION", "DS_RX_BEG:DS_TX_END:us")), ANSWER)
        for name in ("START_TIME", "UNIQUE_ID", "STREAM_ID", "DYNAMIC_METADATA", "NEW"):
            self.assertEqual(samenessOf(Command(name)), EACH, name)

    def test_ids(self) -> None:
        """Each request has its own id."""
        for arguments in ("x-request-id", "A?X-Request-ID"):
            self.assertEqual(samenessOf(Command("REQ", arguments)), EACH)

    def test_known(self) -> None:
        """All that are named are there, once."""
        named = (
            sameness._OF_REQUEST,
            sameness._OF_REPLY,
            sameness._OF_ANSWER,
            sameness._OF_HEADERS,
        )
        self.assertEqual(sum(map(len, named)), len(frozenset().union(*named)))
        self.assertEqual(frozenset().union(*named) - set(BUILT_IN), set())
