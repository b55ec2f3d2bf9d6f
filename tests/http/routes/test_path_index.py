"""Tests for twisted_envoy.http.routes.path_index."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.routes.entry import RouteEntry
from twisted_envoy.http.routes.path_index import PathIndex
from twisted_envoy.http.routes.virtual_host import VirtualHost

_paths = st.text("ab/", max_size=5).map(lambda text: text.encode())
_routes = st.lists(st.tuples(_paths, st.booleans(), st.booleans()), max_size=12)


class PathIndexTests(SynchronousTestCase):
    @given(_routes, st.lists(_paths, max_size=6))
    def test_asOneByOne(self, routes: list[tuple[bytes, bool, bool]], paths: list[bytes]) -> None:
        """The index finds what looking at each route would, up to the first without conditions."""
        index = PathIndex()
        host = VirtualHost("v")
        for order, (path, isExact, isConditional) in enumerate(routes):
            entry = RouteEntry(host, order)
            if isConditional:
                entry.matches = lambda headers, info, value: True
            (index.addExact if isExact else index.addPrefix)(path, entry)
        index.finish()
        for path in [*paths, *(route[0] for route in routes)] * 2:
            expected = []
            for order, (text, isExact, isConditional) in enumerate(routes):
                if path == text or (not isExact and path.startswith(text)):
                    expected.append(order)
                    if not isConditional:
                        break
            self.assertEqual([entry.order for entry in index.find(path)], expected)

    def test_empty(self) -> None:
        """Nothing is found in nothing."""
        index = PathIndex()
        self.assertTrue(index.isEmpty)
        index.finish()
        self.assertEqual(index.find(b"/"), ())
        index.addPrefix(b"/", RouteEntry(VirtualHost("v")))
        self.assertFalse(index.isEmpty)
