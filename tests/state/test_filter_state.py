"""Tests for twisted_envoy.state.filter_state."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.state.filter_state import (
    BoolObject,
    FilterState,
    HashableStringObject,
    LifeSpan,
    Sharing,
    StringObject,
    Uint64Object,
    adopted,
)


class ObjectTests(SynchronousTestCase):
    def test_whatTheyPrint(self) -> None:
        """Plain text, typed value, and whether pools are split by them."""
        objects = [
            (StringObject("a"), "a", "a", None),
            (HashableStringObject("a"), "a", "a", "a"),
            (BoolObject(False), "false", False, None),
            (BoolObject(True), "true", True, None),
            (Uint64Object(2**64 - 1), "18446744073709551615", 2**64 - 1, None),
        ]
        for stored, plain, typed, key in objects:
            self.assertEqual(
                (stored.plainText(), stored.typed(), stored.hashKey()), (plain, typed, key)
            )
            self.assertIsNone(stored.field("x"))


class FilterStateTests(SynchronousTestCase):
    def test_setAndGet(self) -> None:
        """An object is found under its name; another name is not."""
        state = FilterState()
        value = StringObject("a")

        self.assertTrue(state.set("k", value))

        self.assertIs(state.get("k"), value)
        self.assertIsNone(state.get("other"))

    def test_readOnlyStays(self) -> None:
        """A read-only object is not replaced; one that is not may be."""
        state = FilterState()
        first, second = StringObject("a"), StringObject("b")
        state.set("k", first, readOnly=True)

        self.assertFalse(state.set("k", second))
        self.assertIs(state.get("k"), first)

        state.set("l", first)
        self.assertTrue(state.set("l", second))
        self.assertIs(state.get("l"), second)

    def test_aParentIsReadThrough(self) -> None:
        """A request sees its connection's objects, and its own before them."""
        connection = FilterState()
        request = FilterState(connection, LifeSpan.REQUEST)
        request.set("both", StringObject("request"))
        connection.set("both", StringObject("connection"))
        connection.set("theirs", StringObject("x"))

        self.assertEqual([request.get(name) is None for name in ("both", "theirs")], [False] * 2)
        both = request.get("both")
        self.assertEqual(both.plainText() if both else None, "request")
        self.assertEqual(list(request.names()), ["both", "theirs"])

    def test_aLongLifeGoesToTheParent(self) -> None:
        """What lives as long as the connection is stored there."""
        connection = FilterState()
        request = FilterState(connection, LifeSpan.REQUEST)

        request.set("k", StringObject("a"), lifeSpan=LifeSpan.CONNECTION)
        request.set("r", StringObject("b"))

        self.assertIsNotNone(connection.get("k"))
        self.assertIsNone(connection.get("r"))

    def test_aParentsObjectIsNotHidden(self) -> None:
        """A request cannot put its own in front of it, nor give its own a longer life."""
        connection = FilterState()
        request = FilterState(connection, LifeSpan.REQUEST)
        connection.set("k", StringObject("a"))
        request.set("r", StringObject("a"))

        self.assertFalse(request.set("k", StringObject("b")))
        self.assertFalse(request.set("r", StringObject("b"), lifeSpan=LifeSpan.CONNECTION))

        self.assertEqual(request.get("k"), connection.get("k"))
        self.assertIsNone(connection.get("r"))
        self.assertTrue(request.set("r", StringObject("b")))
        self.assertTrue(request.set("k", StringObject("b"), lifeSpan=LifeSpan.CONNECTION))


class SharingTests(SynchronousTestCase):
    def test_shared(self) -> None:
        """Only shared objects, of whatever kind."""
        state = FilterState()
        state.set("z", StringObject("1"), sharing=Sharing.ONCE)
        state.set("a", StringObject("2"), sharing=Sharing.TRANSITIVE)
        state.set("m", StringObject("3"))

        self.assertEqual({name for name, _ in state.shared()}, {"a", "z"})
        self.assertEqual(FilterState().shared(), ())

    def test_sharedThroughAParent(self) -> None:
        """A request shares its connection's objects too."""
        connection = FilterState()
        connection.set("k", StringObject("1"), sharing=Sharing.ONCE)

        shared = FilterState(connection, LifeSpan.REQUEST).shared()

        self.assertEqual([name for name, _ in shared], ["k"])

    def test_adopted(self) -> None:
        """ONCE stops at the next hop, TRANSITIVE goes on; objects are the same ones."""
        first = FilterState()
        once, always = StringObject("1"), StringObject("2")
        first.set("once", once, sharing=Sharing.ONCE, readOnly=True)
        first.set("always", always, sharing=Sharing.TRANSITIVE)
        second, third = FilterState(), FilterState()

        second.adopt(first.shared())
        third.adopt(second.shared())

        self.assertIs(second.get("once"), once)
        self.assertIs(third.get("always"), always)
        self.assertIsNone(third.get("once"))
        entry = second.entry("once")
        self.assertEqual(
            (entry.readOnly, entry.lifeSpan) if entry else None, (True, LifeSpan.CONNECTION)
        )

    def test_ofItsOwn(self) -> None:
        """What a hop stores itself is shared beside what it adopted, ONCE by ONCE."""
        first, second, third = FilterState(), FilterState(), FilterState()
        first.set("once", StringObject("1"), sharing=Sharing.ONCE)
        first.set("always", StringObject("2"), sharing=Sharing.TRANSITIVE)
        second.adopt(first.shared())

        second.set("mine", StringObject("3"), sharing=Sharing.ONCE)
        third.adopt(second.shared())
        self.assertEqual(set(third.names()), {"always", "mine"})
        second.set("once", StringObject("4"), sharing=Sharing.ONCE)
        self.assertEqual({name for name, _ in second.shared()}, {"once", "always", "mine"})

    def test_unchanged(self) -> None:
        """What was given is not changed by what either side stores afterwards."""
        first, second = FilterState(), FilterState()
        first.set("k", StringObject("1"), sharing=Sharing.TRANSITIVE)
        shared = first.shared()
        second.adopt(shared)
        first.set("k", StringObject("2"), sharing=Sharing.TRANSITIVE)
        second.set("l", StringObject("3"), sharing=Sharing.TRANSITIVE)

        self.assertEqual([name for name, _ in shared], ["k"])
        value = second.get("k")
        self.assertEqual(value.plainText() if value else None, "1")
        self.assertIsNone(first.get("l"))
        self.assertIn(next(iter(shared)), shared)
        self.assertNotIn(None, shared)

    def test_adoptedBesideOthers(self) -> None:
        """What a filter stored before is kept; the pairs may be any collection."""
        first, second = FilterState(), FilterState()
        first.set("k", StringObject("1"), sharing=Sharing.ONCE)
        second.set("own", StringObject("2"), sharing=Sharing.TRANSITIVE)
        second.adopt(tuple(first.shared()))
        self.assertEqual(set(second.names()), {"k", "own"})
        self.assertEqual([name for name, _ in second.shared()], ["own"])

    def test_requestOverConnection(self) -> None:
        """A request's own object stands in the place of its connection's."""
        connection = FilterState()
        request = FilterState(connection, LifeSpan.REQUEST)
        request.set("k", StringObject("3"))
        connection.set("k", StringObject("1"), sharing=Sharing.ONCE)
        connection.set("l", StringObject("2"), sharing=Sharing.ONCE)
        self.assertEqual([name for name, _ in request.shared()], ["l"])
        later = FilterState(connection, LifeSpan.REQUEST)
        self.assertEqual([name for name, _ in later.shared()], ["k", "l"])

    def test_takenBack(self) -> None:
        """What is stored again without sharing stays; who has it already keeps it."""
        first, second = FilterState(), FilterState()
        first.set("k", StringObject("1"), sharing=Sharing.TRANSITIVE)
        given = first.shared()
        second.adopt(given)
        for state in (first, second):
            state.set("k", StringObject("2"))
            self.assertEqual(list(state.shared()), [])
            state.set("l", StringObject("3"), sharing=Sharing.ONCE)
            self.assertEqual([name for name, _ in state.shared()], ["l"])
        self.assertEqual([name for name, _ in given], ["k"])

    def test_adoptedOver(self) -> None:
        """What comes along takes the place of what was there, with its own sharing."""
        first, second = FilterState(), FilterState()
        first.set("once", StringObject("1"), sharing=Sharing.ONCE)
        first.set("always", StringObject("2"), sharing=Sharing.TRANSITIVE)
        second.set("once", StringObject("3"), sharing=Sharing.TRANSITIVE)
        second.set("always", StringObject("4"))

        second.adopt(first.shared())

        self.assertIs(second.get("once"), first.get("once"))
        self.assertEqual({name for name, _ in second.shared()}, {"always"})

    def test_requestAndConnection(self) -> None:
        """A request shares its own beside what its connection adopted."""
        outer, connection = FilterState(), FilterState()
        outer.set("a", HashableStringObject("1"), sharing=Sharing.TRANSITIVE)
        outer.set("o", HashableStringObject("2"), sharing=Sharing.ONCE)
        connection.adopt(outer.shared())
        request = FilterState(connection, LifeSpan.REQUEST)
        self.assertEqual([name for name, _ in request.shared()], ["a"])
        request.set("b", HashableStringObject("3"), sharing=Sharing.ONCE)

        shared = request.shared()

        self.assertEqual({name for name, _ in shared}, {"a", "b"})
        third = FilterState()
        third.adopt(shared)
        self.assertEqual({name for name, _ in third.shared()}, {"a"})

    def test_hashKey(self) -> None:
        """In the order of names, without what cannot be hashed."""
        state = FilterState()
        for name in ("z", "a"):
            state.set(name, HashableStringObject(name * 2), sharing=Sharing.ONCE)
        state.set("m", StringObject("m"), sharing=Sharing.ONCE)
        shared: Any = state.shared()
        self.assertEqual(shared.hashKey(), (("a", "aa"), ("z", "zz")))
        self.assertIs(shared.hashKey(), shared.hashKey())

    def test_adoptedFunction(self) -> None:
        """A state that is made with what it adopts, of whatever collection."""
        outer = FilterState()
        outer.set("a", StringObject("1"), sharing=Sharing.TRANSITIVE)
        outer.set("o", StringObject("2"), sharing=Sharing.ONCE)
        for shared in (outer.shared(), tuple(outer.shared())):
            state = adopted(shared)
            self.assertEqual(set(state.names()), {"a", "o"})
            self.assertEqual([name for name, _ in state.shared()], ["a"])
            state.set("own", StringObject("3"))
            self.assertIsNone(outer.get("own"))
