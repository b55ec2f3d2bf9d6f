"""What goes along with an internal connection."""

from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.transport_sockets.internal_upstream.socket import (
    InternalUpstream,
    MetadataSource,
)
from twisted_envoy.interfaces.transport_sockets import (
    IUpstreamTransportSocketFactory,
    TransportSocketOptions,
)
from twisted_envoy.state.filter_state import (
    FilterState,
    HashableStringObject,
    Sharing,
    StringObject,
)
from twisted_envoy.stats.metrics import Counter


class Inner:
    """A transport socket that records what it is asked."""

    def __init__(self):
        self.asked = []

    def connectorFor(self, host, options, passthrough=None):
        self.asked.append((host, options, passthrough))
        return self

    def connect(self, factory):
        return Deferred()

    def hashKey(self, options):
        return "inner"


def hostWith(metadata, ofCluster):
    return SimpleNamespace(metadata=metadata, cluster=SimpleNamespace(metadata=ofCluster))


class InternalUpstreamTests(SynchronousTestCase):
    """The transport socket."""

    def setUp(self):
        self.inner = Inner()
        self.missing = Counter("no_metadata")

    def passed(self, host, options=None, *sources):
        socket = InternalUpstream(self.inner, sources, self.missing)
        connector = socket.connectorFor(host, options or TransportSocketOptions())
        self.assertEqual(self.inner.asked, [])
        connector.connect(Factory())
        return self.inner.asked[0][2]

    def test_metadata(self):
        """The named namespaces, and no other; one that is absent is counted."""
        host = hostWith({"a": {"x": 1}, "other": {}}, {"c": {"y": 2}})
        passed = self.passed(
            host,
            None,
            MetadataSource(False, "a"),
            MetadataSource(True, "c"),
            MetadataSource(False, "c"),
            MetadataSource(True, "none"),
        )
        self.assertEqual(passed.metadata, {"a": {"x": 1}, "c": {"y": 2}})
        self.assertEqual(self.missing.value, 2)

    def test_sameName(self):
        """Of two sources with one name the later wins."""
        host = hostWith({"a": {"of": "host"}}, {"a": {"of": "cluster"}})
        passed = self.passed(host, None, MetadataSource(True, "a"), MetadataSource(False, "a"))
        self.assertEqual(passed.metadata, {"a": {"of": "host"}})

    def test_filterState(self):
        """Shared objects go along by reference."""
        value = StringObject("v")
        state = FilterState()
        state.set("k", value, sharing=Sharing.ONCE)
        options = TransportSocketOptions(state.shared(), hops=2)
        passed = self.passed(hostWith({}, {}), options)
        ((_, entry),) = passed.shared
        self.assertIs(entry.value, value)
        self.assertIs(self.inner.asked[0][1], options)

    def test_inAnother(self):
        """What the outer one of two passes goes along; the inner one counts what it misses."""
        inner = InternalUpstream(self.inner, (MetadataSource(False, "no"),), self.missing)
        outer = InternalUpstream(inner, (MetadataSource(False, "a"),), Counter("outer"))
        host = hostWith({"a": {"x": 1}}, {})
        outer.connectorFor(host, TransportSocketOptions()).connect(Factory())
        self.assertEqual(self.inner.asked[0][2].metadata, {"a": {"x": 1}})
        self.assertEqual(self.missing.value, 1)

    def test_eachConnect(self):
        """What passes is what there is when the connection is made."""
        host = hostWith({"a": {"x": 1}}, {})
        socket = InternalUpstream(self.inner, (MetadataSource(False, "a"),), self.missing)
        connector = socket.connectorFor(host, TransportSocketOptions())
        connector.connect(Factory())
        host.metadata = {"a": {"x": 2}}
        connector.connect(Factory())
        self.assertEqual(
            [asked[2].metadata for asked in self.inner.asked], [{"a": {"x": 1}}, {"a": {"x": 2}}]
        )

    def test_hashKey(self):
        """Hashable shared objects separate pools, others do not."""
        socket = InternalUpstream(self.inner, (), self.missing)
        keys = []
        for value in (HashableStringObject("1"), HashableStringObject("2"), StringObject("3")):
            state = FilterState()
            state.set("k", value, sharing=Sharing.ONCE)
            keys.append(socket.hashKey(TransportSocketOptions(state.shared())))
        self.assertEqual(len(set(keys)), 3)
        self.assertEqual(keys[2], socket.hashKey(TransportSocketOptions()))
        self.assertTrue(IUpstreamTransportSocketFactory.providedBy(socket))
