"""Small messages through proxies and hops, with and without the sockets' shortcuts."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import cluster, logTo, tcpProxy
from tests.integration.running import RunningTestCase
from tests.integration.test_no_lost_bytes import LIMIT, behind
from twisted_envoy.sockets import socket_end, socket_reader
from twisted_envoy.sockets.shortcut import Shortcut
from twisted_envoy.sockets.socket_end import LOOKS

LINE = "%BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_FLAGS% %CONNECTION_TERMINATION_DETAILS% "
LINE += "%UPSTREAM_CLUSTER% %UPSTREAM_WIRE_BYTES_SENT% %UPSTREAM_WIRE_BYTES_RECEIVED%"
SIZES = (1, 64, 64, 1000, 64, 16383, 64, *[64] * LOOKS, 16384, 64, 40000, *[64] * LOOKS, 1, 2, 3)


class MessageTests(RunningTestCase):
    async def talk(self, hops: int) -> tuple[Any, ...]:
        """A conversation: how many shortcuts there were, and what was counted and logged."""
        accepting, address = await self.origin()
        path = self.mktemp()
        proxy = tcpProxy("origin", "in", access_log=logTo(path, LINE))
        text = behind(hops, proxy, clusters=[cluster("origin", address, **LIMIT)])
        server = await self.run_(text)
        ends = await self.joined(server, accepting)
        said = [bytearray(), bytearray()]
        for number, size in enumerate(SIZES):
            for place, (one, other) in enumerate((ends, ends[::-1])):
                said[place] += (b"%d " % number * size)[:size]
                one.transport.write((b"%d " % number * size)[:size])
                await other.untilSize(len(said[place]))
        edges = getattr(server.sockets._context, "edges", None)
        shortcuts = None
        if edges is not None:
            shortcuts = sum(isinstance(one, Shortcut) for one in edges._edges.values())
        for one, other in (ends, ends[::-1]):
            one.transport.loseWriteConnection()
            await other.untilEvent("end")
        for one, text in zip(ends, said[::-1], strict=True):
            self.assertEqual(bytes(one.data), bytes(text))
        active = [one for name, one in server.store.gauges.items() if name.endswith("cx_active")]
        await self.until(lambda: not any(one.value for one in active))
        await self.stop()
        counters = {name: one.value for name, one in server.store.counters.items()}
        gauges = {
            name: one.value
            for name, one in server.store.gauges.items()
            if not name.startswith("server.")  # memory
        }
        with open(path) as log:
            return shortcuts, counters, gauges, log.read()

    async def test_asWithout(self) -> None:
        """All counters, gauges and lines of the log are what they are without."""
        for hops in (0, 1, 2):
            shortcuts, *found = await self.talk(hops)
            none, *expected = await self.without(hops)
            if shortcuts is not None:  # as many as there can be
                self.assertEqual((shortcuts, none), (2, 0))
            self.assertEqual(found, expected)

    async def without(self, hops: int) -> tuple[Any, ...]:
        patches = [
            self.patch(module, "LOOKS", 0)  # type: ignore[no-untyped-call]
            for module in (socket_end, socket_reader)
        ]
        try:
            return await self.talk(hops)
        finally:
            for patched in patches:
                patched.restore()
