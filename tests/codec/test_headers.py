"""Tests of twisted_envoy.codec.headers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.codec.headers import HeaderMap

PAIRS = [(b":status", b"200"), (b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
NAMES = st.sampled_from([b"a", b"b", b"c"])


class HeaderMapTests(SynchronousTestCase):
    def test_reading(self) -> None:
        """A name gives its first value, or all of them."""
        headers = HeaderMap(PAIRS)

        self.assertEqual(headers[b"a"], b"1")
        self.assertEqual(headers.every(b"a"), [b"1", b"3"])
        self.assertEqual(headers.every(b"b"), [b"2"])
        self.assertEqual(headers.every(b"x"), [])
        self.assertEqual(HeaderMap([(b"a", b"1")]).every(b"a"), [b"1"])
        self.assertEqual(headers.joined(b"a"), b"1,3")
        self.assertEqual(headers.joined(b"a", b"; "), b"1; 3")
        self.assertEqual(headers.joined(b"b"), b"2")
        self.assertIsNone(headers.joined(b"x"))

    def test_order(self) -> None:
        """Fields keep their order, of one name too, in a copy as well."""
        self.assertEqual(list(HeaderMap(PAIRS).pairs()), PAIRS)
        self.assertEqual(list(HeaderMap(PAIRS).copy().pairs()), PAIRS)

    def test_orderOfWhatStays(self) -> None:
        """What stood before a further value may go, or go to the end."""
        headers = HeaderMap([*PAIRS, (b"c", b"4"), (b"a", b"5")])
        headers.remove(b"b")
        headers.remove(b"c")
        headers.add(b"d", b"6")
        shown = [value for _, value in headers.pairs()]
        self.assertEqual([value for value in shown if value != b"6"], [b"200", b"1", b"3", b"5"])
        self.assertEqual(len(shown), 5)

    def test_writing(self) -> None:
        """Setting and removing take all values of a name."""
        headers = HeaderMap(PAIRS)
        headers.set(b"a", b"9")
        self.assertEqual(headers.every(b"a"), [b"9"])
        headers.add(b"a", b"8")
        headers.remove(b"a")
        headers.remove(b"x")
        self.assertEqual(headers.every(b"a"), [])
        self.assertEqual(list(headers), [b":status", b"b"])
        headers.add(b"a", b"7")
        self.assertEqual(headers.every(b"a"), [b"7"])
        single = HeaderMap([(b"a", b"1")])
        single.set(b"a", b"2")
        single.remove(b"a")
        self.assertEqual(single.count(), 0)

    def test_sizes(self) -> None:
        """Values are counted, and bytes of names and values."""
        headers = HeaderMap(PAIRS)
        self.assertEqual(headers.count(), 4)
        self.assertEqual(headers.byteSize(), 7 + 3 + 2 * 3)
        self.assertEqual(HeaderMap([(b"a", b"1")]).count(), 1)

    def test_copy(self) -> None:
        """A copy is changed alone."""
        headers = HeaderMap(PAIRS)
        headers.cases = {b"a": b"A"}
        other = headers.copy()
        other.add(b"a", b"4")
        other.set(b"b", b"5")
        self.assertEqual(list(headers.pairs()), list(HeaderMap(PAIRS).pairs()))
        self.assertEqual(other.every(b"a"), [b"1", b"3", b"4"])
        self.assertEqual(other.cases, {b"a": b"A"})
        self.assertIsNone(HeaderMap([(b"a", b"1")]).copy().more)

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["set", "add", "remove"]), NAMES), max_size=12))
    def test_model(self, steps: list[tuple[str, bytes]]) -> None:
        """Any sequence of writes does what it does to a list of pairs."""
        headers = HeaderMap()
        model: dict[bytes, list[bytes]] = {}
        for index, (step, name) in enumerate(steps):
            value = str(index).encode()
            if step == "set":
                headers.set(name, value)
                model[name] = [value]
            elif step == "add":
                headers.add(name, value)
                model.setdefault(name, []).append(value)
            else:
                headers.remove(name)
                model.pop(name, None)
        pairs = list(headers.pairs())
        for name, values in model.items():
            self.assertEqual([value for other, value in pairs if other == name], values)
        self.assertEqual(len(pairs), sum(map(len, model.values())))
        self.assertEqual(headers.count(), len(pairs))
        self.assertEqual(list(dict.fromkeys(name for name, _ in pairs)), list(model))
        if all(step == "add" for step, _ in steps):
            added = [(name, str(index).encode()) for index, (_, name) in enumerate(steps)]
            self.assertEqual(pairs, added)
