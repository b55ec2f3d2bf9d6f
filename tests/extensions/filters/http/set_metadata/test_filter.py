"""The set_metadata filter; what it leaves is what real Envoy left."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.filters.http.support import FilterCase, named, typed
from twisted_envoy.extensions.filters.http.set_metadata.filter import merged

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


class MergedTests(SynchronousTestCase):
    def test_merged(self) -> None:
        """Neither side changes."""
        old: dict[str, Any] = {"a": {"b": [1]}, "c": [1]}
        new: dict[str, Any] = {"a": {"b": [2], "d": 1}, "c": "x"}
        self.assertEqual(merged(old, new), {"a": {"b": [1, 2], "d": 1}, "c": "x"})
        self.assertEqual(old, {"a": {"b": [1]}, "c": [1]})
        self.assertEqual(new, {"a": {"b": [2], "d": 1}, "c": "x"})
