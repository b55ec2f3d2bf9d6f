"""The set_metadata filter; what it leaves is what real Envoy left."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.support import FilterCase, named, typed
from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.extensions.filters.http.set_metadata.filter import (
    SetMetadata,
    TypedValue,
    Values,
    merged,
)
from twisted_envoy.state.request_info import RequestInfo
from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.stats.metrics import Counter

TYPE = "envoy.extensions.filters.http.set_metadata.v3.Config"
LOG = "%DYNAMIC_METADATA(ns)% %DYNAMIC_METADATA(old)%"


def entry(namespace: str, overwrite: bool = False, **value: Any) -> dict[str, Any]:
    return {"metadata_namespace": namespace, "allow_overwrite": overwrite, "value": value}


class SetMetadataTests(FilterCase):
    def test_sets(self) -> None:
        """New ones are set, others are merged or denied; the deprecated fields come first."""
        self.start(
            named(
                "sm",
                TYPE,
                metadata_namespace="old",
                value={"o": 1},
                metadata=[
                    entry("ns", a=1, l=[1], s={"x": 1}),
                    entry("ns", b=2),
                    entry("ns", True, a="two", l=[2], s={"y": 2}),
                    entry("old", n=1),
                ],
            ),
            log=LOG,
        )

        self.get()
        self.get()

        line = '{"a":"two","l":[1,2],"s":{"x":1,"y":2}} {"o":1}'
        self.assertEqual(self.log(), [line, line])
        self.assertEqual(self.envoy.stat("http.web.set_metadata.overwrite_denied"), 4)

    def test_ofRoutes(self) -> None:
        """The most specific one, beside the filter's own."""
        per = {name: {"sm": typed(TYPE, metadata=[entry(name, k=name)])} for name in ("r", "v")}
        self.start(
            named("sm", TYPE, metadata=[entry("ns", k="a")]),
            route=per["r"],
            virtualHost=per["v"],
            log="%DYNAMIC_METADATA(ns)% %DYNAMIC_METADATA(r)% %DYNAMIC_METADATA(v)%",
        )
        self.get("/r")
        self.get("/x")
        self.assertEqual(self.log(), ['{"k":"a"} {"k":"r"} -', '{"k":"a"} - {"k":"v"}'])

    def test_deniedToARoute(self) -> None:
        """Counted under no connection manager, as in Envoy."""
        per = {"sm": typed(TYPE, metadata=[entry("ns", k="r")])}
        self.start(named("sm", TYPE, metadata=[entry("ns", k="a")]), route=per, log=LOG)
        self.get("/r")
        self.assertEqual(self.envoy.stat("set_metadata.overwrite_denied"), 1)
        self.assertEqual(self.envoy.stat("http.web.set_metadata.overwrite_denied"), 0)


class Stream:
    """As much of one as the filter needs."""

    def __init__(self, ofRoute: Values | None = None) -> None:
        self.streamInfo = RequestInfo(StreamInfo(0.0), 0.0)
        self.ofRoute = ofRoute

    def nameOf(self, filter: object) -> str:
        return "sm"

    def routeConfig(self, name: str) -> Values | None:
        return self.ofRoute


class TypedTests(SynchronousTestCase):
    def test_sets(self) -> None:
        """New ones, and those that may overwrite; the others are denied."""
        denied = Counter("denied")
        own = Values(
            (), tuple(TypedValue("a", n, over) for n, over in ((1, False), (2, False))), denied
        )
        route = Values((), (TypedValue("a", 3, True), TypedValue("b", 4, False)), denied)
        made = SetMetadata(own)
        stream = Stream(route)
        made.stream = stream  # type: ignore[assignment]

        made.decodeHeaders(HeaderMap(), True)

        self.assertEqual(stream.streamInfo.dynamicTypedMetadata, {"a": 3, "b": 4})
        self.assertEqual(denied.value, 1)

    def test_none(self) -> None:
        """Nothing is made for nothing."""
        made = SetMetadata(Values((), (), Counter("denied")))
        stream = Stream()
        made.stream = stream  # type: ignore[assignment]
        made.decodeHeaders(HeaderMap(), True)
        self.assertIsNone(stream.streamInfo.dynamicTypedMetadata)


class MergedTests(SynchronousTestCase):
    def test_merged(self) -> None:
        """Neither side changes."""
        old: dict[str, Any] = {"a": {"b": [1]}, "c": [1]}
        new: dict[str, Any] = {"a": {"b": [2], "d": 1}, "c": "x"}
        self.assertEqual(merged(old, new), {"a": {"b": [1, 2], "d": 1}, "c": "x"})
        self.assertEqual(old, {"a": {"b": [1]}, "c": [1]})
        self.assertEqual(new, {"a": {"b": [2], "d": 1}, "c": "x"})
