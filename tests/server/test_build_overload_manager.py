"""Overload managers in a bootstrap, as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from tests.bootstraps import bootstrap, listener, typed
from tests.extensions.clusters.dynamic_forward_proxy.support import manager
from tests.server.refusing import RefusalTestCase
from twisted_envoy.testing import MemoryEnvoy

HEAP = "envoy.resource_monitors.fixed_heap"
STOP = "envoy.overload_actions.stop_accepting_requests"
SHRINK = "envoy.overload_actions.shrink_heap"


def heap(**fields: Any) -> dict[str, Any]:
    """The monitor of memory; of which there is always too much in use."""
    return typed(
        HEAP,
        "resource_monitors.fixed_heap.v3.FixedHeapConfig",
        **{"max_heap_size_bytes": 1, **fields},
    )


def action(name: str = STOP, monitor: str = HEAP, **how: Any) -> dict[str, Any]:
    """An action, at half of it."""
    trigger = {"name": monitor, **(how or {"threshold": {"value": 0.5}})}
    return {"name": name, "triggers": [trigger]}


def overloaded(actions: list[dict[str, Any]], monitors: list[dict[str, Any]] | None = None) -> str:
    """A server with HTTP on port 9000."""
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
    return bootstrap(
        [listener("in", "127.0.0.1:9000", manager(routes=[route]))],
        overload_manager={
            "refresh_interval": "0.25s",
            "resource_monitors": monitors or [heap()],
            "actions": actions,
        },
    )


class BuildOverloadManagerTests(RefusalTestCase):
    """What it does, and what is refused."""

    def test_requests(self) -> None:
        """They are refused while memory is short."""
        envoy = MemoryEnvoy(overloaded([action(), action(SHRINK)]))
        client = envoy.connect("in")
        client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        envoy.settle()
        self.assertTrue(client.received.startswith(b"HTTP/1.1 503 "))
        self.assertTrue(client.received.endswith(b"envoy overloaded"))
        self.assertEqual(envoy.lines("http.log"), ["503 - overload - a"])
        self.assertEqual(envoy.stat("http.http.downstream_rq_overload_close"), 1)
        self.assertEqual(envoy.stat(f"overload.{STOP}.active"), 1)
        envoy.advance(10)
        self.assertEqual(envoy.stat(f"overload.{SHRINK}.shrink_count"), 1)
        envoy.stop()

    def test_plenty(self) -> None:
        """There is enough: nothing happens."""
        envoy = MemoryEnvoy(overloaded([action()], [heap(max_heap_size_bytes=2**60)]))
        client = envoy.connect("in")
        client.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        envoy.settle()
        self.assertTrue(client.received.startswith(b"HTTP/1.1 200 "))

    def test_shrinkConfig(self) -> None:
        """How often."""
        own = {
            "@type": "type.googleapis.com/envoy.config.overload.v3.ShrinkHeapConfig",
            "timer_interval": "2s",
        }
        envoy = MemoryEnvoy(overloaded([{**action(SHRINK), "typed_config": own}]))
        envoy.advance(5)
        self.assertEqual(envoy.stat(f"overload.{SHRINK}.shrink_count"), 2)

    def test_refused(self) -> None:
        """In Envoy's words."""
        scaled = {"scaling_threshold": 0.9, "saturation_threshold": 0.9}
        twice = action()
        twice["triggers"] *= 2
        for actions, problem in (
            ([action(), action()], f"Duplicate overload action {STOP}"),
            ([action(STOP, "nope")], f"Unknown trigger resource nope for overload action {STOP}"),
            ([action("nope")], "Unknown Overload Manager Action nope"),
            (
                [action(scaled=scaled)],
                "scaling_threshold must be less than saturation_threshold",
            ),
            ([twice], f"Duplicate trigger resource for overload action {STOP}"),
        ):
            self.assertRefused(overloaded(actions), problem)

    def test_typedConfig(self) -> None:
        """Where there is nothing to say."""
        own = {"@type": "type.googleapis.com/envoy.config.overload.v3.ShrinkHeapConfig"}
        self.assertRefused(
            overloaded([{**action(), "typed_config": own}]),
            f'Overload action "{STOP}" has an unexpected value for the typed_config field',
        )

    def test_notImplemented(self) -> None:
        """Known to Envoy only."""
        self.refused(overloaded([action("envoy.overload_actions.reduce_timeouts")]))
