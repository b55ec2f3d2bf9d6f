"""Tests for `twisted_envoy.config.read_dict`."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.read_dict import ReadDict

VALUES: dict[str, Any] = {"a": 1, "b": {"c": [{"d": 2, "e": 3}, 4]}, "f": {}}


class ReadDictTests(SynchronousTestCase):
    """What has been read, and what not."""

    def left(self, read: Callable[[ReadDict], object]) -> list[tuple[str | int, ...]]:
        """What is unread when somebody has read something."""
        values = ReadDict(VALUES)
        read(values)
        return list(values.unread())

    def test_nothing(self) -> None:
        """Whoever only asks how many there are has read none."""
        for read in (len, bool, lambda values: None):
            self.assertEqual(self.left(read), [("a",), ("b",), ("f",)])

    def test_keys(self) -> None:
        """Each way to ask for one."""
        asking: list[Callable[[ReadDict], object]] = [
            lambda values: values["a"],
            lambda values: values.get("a"),
            lambda values: values.get("a", 7),
            lambda values: "a" in values,
            lambda values: values.setdefault("a", 5),
        ]
        for read in asking:
            self.assertEqual(self.left(read), [("b",), ("f",)])
        self.assertEqual(self.left(lambda values: values.pop("a")), [("b",), ("f",)])
        self.assertEqual(self.left(lambda values: values.get("z")), [("a",), ("b",), ("f",)])

    def test_below(self) -> None:
        """Dicts in dicts and in lists."""
        self.assertEqual(self.left(lambda values: values["b"]), [("a",), ("b", "c"), ("f",)])
        self.assertEqual(
            self.left(lambda values: values["b"]["c"][0]["e"]),
            [("a",), ("b", "c", 0, "d"), ("f",)],
        )

    def test_all(self) -> None:
        """Who goes over all has read all, and got plain values."""
        going: list[Callable[[ReadDict], object]] = [
            dict,
            list,
            copy.deepcopy,
            json.dumps,
            ReadDict.copy,
            ReadDict.keys,
            ReadDict.values,
            ReadDict.items,
            lambda values: dict(**values),
            lambda values: {**values},
            lambda values: values == {},
            lambda values: values != {},
            lambda values: sorted(values),
        ]
        for read in going:
            self.assertEqual(self.left(read), [], read)
        for made in (dict(ReadDict(VALUES)), ReadDict(VALUES).copy(), {**ReadDict(VALUES)}):
            self.assertEqual(made, VALUES)
        self.assertEqual(json.dumps(ReadDict(VALUES)), json.dumps(VALUES))

    def test_values(self) -> None:
        """It has what it was made of."""
        self.assertEqual(ReadDict(VALUES), VALUES)
        self.assertEqual(repr(ReadDict(VALUES)), repr(VALUES))
        self.assertRaises(KeyError, lambda: ReadDict(VALUES)["z"])
        self.assertRaises(KeyError, ReadDict(VALUES).pop, "z")
        self.assertEqual(ReadDict(VALUES).pop("z", 5), 5)
