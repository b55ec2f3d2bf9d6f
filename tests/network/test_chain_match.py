"""Which filter chain a connection gets."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.errors import ConfigError
from twisted_envoy.internal.address import CLIENT_ADDRESS, InternalAddress
from twisted_envoy.network.chain_match import FilterChainIndex
from twisted_envoy.network.chain_match_rules import readRules
from twisted_envoy.network.cidr import ipKey
from twisted_envoy.state.stream_info import StreamInfo


@dataclass
class Range:
    """A CidrRange."""

    address_prefix: str
    prefix_len: int | None = None

    def error(self, problem, field=None):
        return ConfigError(field or "", problem)


@dataclass
class Match:
    """A FilterChainMatch as its View gives it."""

    destination_port: int | None = None
    prefix_ranges: tuple = ()
    address_suffix: str = ""
    suffix_len: int | None = None
    direct_source_prefix_ranges: tuple = ()
    source_type: str = "ANY"
    source_prefix_ranges: tuple = ()
    source_ports: tuple = ()
    server_names: tuple = ()
    transport_protocol: str = ""
    application_protocols: tuple = ()

    def error(self, problem, field=None):
        return ConfigError("here", problem)


@dataclass
class FakeChain:
    name: str = ""
    match: Match | None = field(default_factory=Match)


def chain(name="", **fields):
    return FakeChain(name, Match(**fields))


def tcp(host="127.0.0.1", port=1):
    kind = IPv6Address if ":" in host else IPv4Address
    return kind("TCP", host, port)


def info(local=None, remote=None, direct=None, sni="", transport="", alpn=()):
    made = StreamInfo(0.0, local or tcp(port=80), remote or tcp(port=50000))
    if direct is not None:
        made.directRemoteAddress = direct
    made.requestedServerName = sni
    made.transportProtocol = transport
    made.applicationProtocols = alpn
    return made


class FindTests(SynchronousTestCase):
    def find(self, chains, streamInfo, default=None):
        found = FilterChainIndex(chains, default).find(streamInfo)
        return None if found is None else found.name

    def test_oneChainForEverythingIsReturnedWithoutALook(self):
        """Nothing of the connection is read."""
        for only in (chain("a"), FakeChain("a", None)):
            index = FilterChainIndex([only], chain("default"))
            self.assertIs(index.find(None), only)

    def test_noChainsAtAll(self):
        """The default chain is used, if there is one."""
        self.assertIsNone(self.find([], info()))
        self.assertEqual(self.find([], info(), chain("default")), "default")

    def test_nothingFits(self):
        """The default chain, or none."""
        chains = [chain("a", destination_port=1)]
        self.assertIsNone(self.find(chains, info()))
        self.assertEqual(self.find(chains, info(), chain("default")), "default")

    def test_destinationPort(self):
        """The port's own chains come before those of every port, for good."""
        chains = [chain("p", destination_port=80, server_names=("x",)), chain("any")]
        self.assertEqual(self.find(chains, info(tcp(port=81))), "any")
        self.assertEqual(self.find(chains, info(sni="x")), "p")
        self.assertIsNone(self.find(chains, info(sni="y")))

    def test_destinationPrefix(self):
        """The longest wins; a prefix of no bits is still more than none."""
        chains = [
            chain("8", prefix_ranges=(Range("127.0.0.0", 8),)),
            chain("32", prefix_ranges=(Range("127.0.0.1", 32), Range("::1", 128))),
            chain("zero", prefix_ranges=(Range("0.0.0.0"),)),
            chain("any"),
        ]
        wanted = {"127.0.0.1": "32", "127.1.1.1": "8", "9.9.9.9": "zero", "::1": "32", "::2": "any"}
        for host, name in wanted.items():
            self.assertEqual(self.find(chains, info(tcp(host))), name)

    def test_serverNames(self):
        """Exact before the longest suffix before any; letters' case does not matter."""
        chains = [
            chain("exact", server_names=("WWW.a.com",)),
            chain("a", server_names=("*.a.com",)),
            chain("com", server_names=("*.com", "*.")),
            chain("any"),
        ]
        wanted = {
            "www.a.com": "exact",
            "x.www.A.com": "a",
            "a.com": "com",
            "com": "any",
            "": "any",
            ".com": "com",
            "x.": "any",
        }
        for sni, name in wanted.items():
            self.assertEqual(self.find(chains, info(sni=sni)), name, sni)

    def test_transportProtocol(self):
        """What no inspector has looked at is raw_buffer."""
        chains = [
            chain("raw", transport_protocol="raw_buffer"),
            chain("tls", transport_protocol="tls"),
            chain("any"),
        ]
        self.assertEqual(self.find(chains, info()), "raw")
        self.assertEqual(self.find(chains, info(transport="tls")), "tls")
        self.assertEqual(self.find(chains, info(transport="quic")), "any")

    def test_applicationProtocols(self):
        """The client's order decides."""
        chains = [
            chain("h1", application_protocols=("http/1.0", "http/1.1")),
            chain("h2", application_protocols=("h2",)),
            chain("any"),
        ]
        self.assertEqual(self.find(chains, info(alpn=("h2", "http/1.1"))), "h2")
        self.assertEqual(self.find(chains, info(alpn=("x", "http/1.1", "h2"))), "h1")
        self.assertEqual(self.find(chains, info(alpn=("x",))), "any")

    def test_directSourceIsNotTheRestoredSource(self):
        """One is the socket's peer, the other what a listener filter may have restored."""
        chains = [
            chain("direct", direct_source_prefix_ranges=(Range("9.0.0.0", 8),)),
            chain("source", source_prefix_ranges=(Range("9.0.0.0", 8),)),
        ]
        self.assertEqual(
            self.find(chains, info(remote=tcp("1.1.1.1"), direct=tcp("9.1.1.1"))), "direct"
        )
        self.assertEqual(
            self.find(chains, info(remote=tcp("9.1.1.1"), direct=tcp("1.1.1.1"))), "source"
        )

    def test_sourceType(self):
        """127.0.0.1, ::1, one's own address and pipes are local; 127.0.0.2 is not."""
        chains = [
            chain("same", source_type="SAME_IP_OR_LOOPBACK"),
            chain("ext", source_type="EXTERNAL"),
            chain("any"),
        ]
        wanted = [
            (tcp("127.0.0.1"), tcp("9.9.9.9"), "same"),
            (tcp("::1"), tcp("::2"), "same"),
            (tcp("127.0.0.2"), tcp("127.0.0.1"), "ext"),
            (tcp("127.0.0.3"), tcp("127.0.0.3"), "same"),
            (tcp("::ffff:9.9.9.9"), tcp("9.9.9.9"), "same"),
            (UNIXAddress(None), UNIXAddress(b"/a"), "same"),
            (CLIENT_ADDRESS, InternalAddress("i"), "ext"),
            (None, tcp(), "ext"),
        ]
        for remote, local, name in wanted:
            streamInfo = StreamInfo(0.0, local, remote)
            self.assertEqual(self.find(chains, streamInfo), name, (remote, local))
        self.assertEqual(self.find([chains[0], chains[2]], info(remote=tcp("9.9.9.9"))), "any")

    def test_sourcePrefixAndPort(self):
        """There is no way back from the longest prefix to a shorter one's ports."""
        chains = [
            chain("port", source_prefix_ranges=(Range("127.0.0.2", 32),), source_ports=(1, 2)),
            chain("any"),
        ]
        self.assertEqual(self.find(chains, info(remote=tcp("127.0.0.2", 2))), "port")
        self.assertIsNone(self.find(chains, info(remote=tcp("127.0.0.2", 3))))
        self.assertEqual(self.find(chains, info(remote=tcp("127.0.0.1", 3))), "any")

    def test_addressesThatAreNoIPMatchAs255(self):
        """A pipe's or internal listener's connection is in 255.255.255.255/32 alone."""
        chains = [chain("255", prefix_ranges=(Range("255.255.255.255", 32),)), chain("any")]
        internal = StreamInfo(0.0, InternalAddress("i"), CLIENT_ADDRESS)
        self.assertEqual(self.find(chains, internal), "255")
        self.assertEqual(self.find(chains, StreamInfo(0.0, UNIXAddress(b"/a"), None)), "255")
        self.assertEqual(self.find([chain("p", destination_port=1), chain("any")], internal), "any")


class RefusedTests(SynchronousTestCase):
    def refusal(self, *chains, **more):
        with self.assertRaises(ConfigError) as caught:
            FilterChainIndex(chains, **more)
        return caught.exception.problem

    def test_sameRules(self):
        """Both names and the rules as JSON, by field number."""
        text = "filter chain '' has the same matching rules defined as ''. duplicate matcher is: {}"
        self.assertEqual(self.refusal(chain(), chain()), text)
        self.assertEqual(self.refusal(FakeChain("", None), chain()), text)
        self.assertEqual(self.refusal(chain(), FakeChain("", None)), text)
        everything = dict(
            destination_port=80,
            prefix_ranges=(Range("10.0.0.0", 8), Range("::1", 128)),
            server_names=("B.com", "a.com"),
            transport_protocol="tls",
            application_protocols=("h2", "http/1.1"),
            direct_source_prefix_ranges=(Range("1.2.3.4", 32),),
            source_type="EXTERNAL",
            source_prefix_ranges=(Range("0.0.0.0"),),
            source_ports=(1, 65535),
        )
        self.assertEqual(
            self.refusal(chain("one", **everything), chain("two", **everything)),
            "filter chain 'two' has the same matching rules defined as 'one'. "
            'duplicate matcher is: {"prefix_ranges":[{"address_prefix":"10.0.0.0",'
            '"prefix_len":8},{"address_prefix":"::1","prefix_len":128}],'
            '"source_prefix_ranges":[{"address_prefix":"0.0.0.0"}],'
            '"source_ports":[1,65535],"destination_port":80,"transport_protocol":"tls",'
            '"application_protocols":["h2","http/1.1"],"server_names":["B.com","a.com"],'
            '"source_type":"EXTERNAL","direct_source_prefix_ranges":[{"address_prefix":"1.2.3.4",'
            '"prefix_len":32}]}',
        )

    def test_overlaps(self):
        """Rules that are not the same and share a case are refused, also within one chain."""
        text = "multiple filter chains with overlapping matching rules are defined"
        for chains in (
            (chain(server_names=("a", "b")), chain(server_names=("b", "c"))),
            (chain(server_names=("A",)), chain(server_names=("a",))),
            (chain(server_names=("*.a",)), chain(server_names=(".a",))),
            (chain(server_names=("",)), chain()),
            (chain(application_protocols=("",)), chain()),
            (chain(server_names=("a", "a")),),
            (chain(source_ports=(1, 1)),),
            (
                chain(prefix_ranges=(Range("10.1.2.3", 8),)),
                chain(prefix_ranges=(Range("10.0.0.0", 8),)),
            ),
        ):
            self.assertEqual(self.refusal(*chains), text)

    def test_partialWildcards(self):
        """A star stands only for the first labels."""
        text = 'partial wildcards are not supported in "server_names"'
        for name in ("a.*", "*", "*x.com"):
            self.assertEqual(self.refusal(chain(server_names=(name,))), text)
        FilterChainIndex([chain(server_names=("*.a.*.com",))])

    def test_unimplementedFields(self):
        """Also when they are zero."""
        text = "filter chain 'n' contains unimplemented fields"
        self.assertEqual(self.refusal(chain("n", address_suffix="x")), text)
        self.assertEqual(self.refusal(chain("n", suffix_len=0)), text)

    def test_where(self):
        """What is said of the listener comes before, but not before an address's problem."""
        where = "error adding listener 'L': "
        self.assertEqual(
            self.refusal(chain("n", suffix_len=1), where=where),
            where + "filter chain 'n' contains unimplemented fields",
        )
        bad = chain("n", source_prefix_ranges=(Range("nope", 8),))
        self.assertEqual(self.refusal(bad, where=where), "malformed IP address: nope")

    def test_chainsAreTakenOneAtATime(self):
        """The first chain's problem is told before the second one is built."""

        def building():
            yield chain(server_names=("*",))
            self.fail("the second chain was built")

        self.assertRaises(ConfigError, FilterChainIndex, building())

    def test_placeOfAnErrorWithoutAMatch(self):
        """It is the listener's."""
        with self.assertRaises(ConfigError) as caught:
            FilterChainIndex([FakeChain("", None)] * 2, view=Match())
        self.assertEqual(caught.exception.path, "here")


HOSTS = ["127.0.0.1", "127.0.0.2", "10.0.0.1", "::1"]
NAMES = ["", "a.com", "b.a.com", "c.b.a.com", "com"]
ranges = st.lists(
    st.builds(Range, st.sampled_from(HOSTS), st.sampled_from([0, 8, 31, 32, 127, 128])), max_size=2
).map(tuple)


def some(values):
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


matches = st.builds(
    Match,
    destination_port=st.sampled_from([None, 80, 81]),
    prefix_ranges=ranges,
    server_names=some(["a.com", "*.a.com", "*.com", "b.a.com"]),
    transport_protocol=st.sampled_from(["", "tls"]),
    application_protocols=some(["h2", "h1"]),
    direct_source_prefix_ranges=ranges,
    source_type=st.sampled_from(["ANY", "EXTERNAL", "SAME_IP_OR_LOOPBACK"]),
    source_prefix_ranges=ranges,
    source_ports=some([1, 2]),
)
sparse = st.tuples(matches, st.sets(st.sampled_from(list(Match.__annotations__)))).map(
    lambda pair: Match(**{name: value for name, value in vars(pair[0]).items() if name in pair[1]})
)
connections = st.builds(
    info,
    st.builds(tcp, st.sampled_from(HOSTS), st.sampled_from([80, 81])),
    st.builds(tcp, st.sampled_from(HOSTS), st.sampled_from([1, 2])),
    st.builds(tcp, st.sampled_from(HOSTS)),
    st.sampled_from(NAMES),
    st.sampled_from(["", "tls"]),
    some(["h2", "h1", "x"]),
)


def prefixScore(cidr, address):
    if cidr is None:
        return -1
    bits, value = ipKey(address)
    inside = bits == cidr.bits and value >> bits - cidr.length == cidr.network >> bits - cidr.length
    return cidr.length if inside else None


def equalScore(key, value, anyKey):
    return 1 if key == value else 0 if key == anyKey else None


def nameScore(key, name):
    if key == name:
        return 1000
    if key.startswith(".") and name.endswith(key) and len(name) > len(key):
        return len(key)
    return 0 if key == "" else None


def scores(keys, it):
    """How well one case of a chain fits, step by step; None where it does not."""
    port, destination, name, transport, protocol, direct, sourceType, source, sourcePort = keys
    remote = it.remoteAddress
    local = remote.host in ("127.0.0.1", "::1") or remote.host == it.localAddress.host
    order = {wanted: -n for n, wanted in enumerate(it.applicationProtocols)}
    return (
        equalScore(port, it.localAddress.port, 0),
        prefixScore(destination, it.localAddress),
        nameScore(name, it.requestedServerName),
        equalScore(transport, it.transportProtocol or "raw_buffer", ""),
        order.get(protocol, -99 if protocol == "" else None),
        prefixScore(direct, it.directRemoteAddress),
        equalScore(sourceType, "SAME_IP_OR_LOOPBACK" if local else "EXTERNAL", "ANY"),
        prefixScore(source, remote),
        equalScore(sourcePort, remote.port, 0),
    )


def naive(chains, it):
    """Keep the best cases of all chains, step by step."""
    cases = []
    for each in chains:
        steps = readRules(each.match, ConfigError).steps
        cases.extend((scores(keys, it), keys, each) for keys in product(*steps))
    for step in range(9):
        cases = [case for case in cases if case[0][step] is not None]
        if not cases:
            return None
        best = max(case[0][step] for case in cases)
        kept = [case for case in cases if case[0][step] == best]
        key = kept[0][1][step]
        cases = [case for case in kept if case[1][step] == key]
    return cases[0][2]


class OracleTests(SynchronousTestCase):
    @settings(max_examples=400, deadline=None)
    @given(st.lists(sparse, min_size=1, max_size=5), connections)
    def test_agreesWithANaiveSearch(self, given, connection):
        """The tree finds what asking every case of every chain finds."""
        chains = [FakeChain(str(n), match) for n, match in enumerate(given)]
        try:
            index = FilterChainIndex(chains, chain("default"))
        except ConfigError:
            return

        found = index.find(connection)

        wanted = naive(chains, connection)
        self.assertEqual(found.name, "default" if wanted is None else wanted.name)
