"""Listeners of a config: what Envoy refuses is refused in its words, at the right place."""

from __future__ import annotations

from tests.bootstraps import (
    addressOf,
    bootstrap,
    cluster,
    directResponse,
    echo,
    listener,
    logTo,
    setFilterState,
    tcpProxy,
    typed,
)
from tests.server.refusing import RefusalTestCase
from twisted_envoy.internal import getRegistry
from twisted_envoy.testing import MemoryEnvoy

ADDING = "error adding listener named 'A': "
CHAINS = "error adding listener 'envoy://A/': "
FEATURE = ADDING + "has unsupported tcp listener feature"
ADDRESS = (
    "error adding listener 'A': address should not be used when an internal listener config is "
    "provided"
)


def chain(*filters, **match):
    """One filter chain; echo when no filter is given."""
    made = {"filters": list(filters) or [echo()]}
    return {**made, "filter_chain_match": match} if match else made


def internal(*filters, **fields):
    """A bootstrap with internal listener A."""
    return bootstrap([listener("A", "internal:", *(filters or [echo()]), **fields)])


class InternalRefusalTests(RefusalTestCase):
    """Each row of what real Envoy 1.40 refuses of an internal listener."""

    def test_extensionMissing(self):
        """Without the bootstrap extension."""
        text = bootstrap([listener("A", "internal:", echo())], bootstrap_extensions=[])
        words = ADDING + "InternalListener bootstrap extension is mandatory"
        self.assertRefused(text, f"{words} (bootstrap_extensions: [", "{")

    def test_addresses(self):
        """With an address, or additional ones."""
        one = addressOf("127.0.0.1:1")
        self.assertRefused(internal(address=one), ADDRESS, '"address"')
        additional = [{"address": one}]
        text = internal(additional_addresses=additional)
        self.assertRefused(text, ADDRESS, '"additional_addresses"')

    def test_internalAddress(self):
        """An internal address in the place of a socket's."""
        made = listener("A", "internal:x", echo())
        problem = ADDING + "use internal_listener field instead of address for internal listeners"
        self.assertRefused(bootstrap([made]), problem, '"address"')

    def test_neither(self):
        """Neither an address nor internal_listener."""
        made = listener("A", "internal:", echo())
        del made["internal_listener"]
        self.assertRefused(bootstrap([made]), ADDING + "address is necessary", "{")

    def test_socketOptions(self):
        """Socket options."""
        text = internal(socket_options=[{"level": 1, "name": 2, "int_value": 1}])
        self.assertRefused(text, ADDING + "does not support socket option", '"socket_options"')

    def test_socketFeatures(self):
        """What only a socket has: three even when they are false or 0, the others when true."""
        for field, value in (
            ("enable_reuse_port", False),
            ("tcp_fast_open_queue_length", 0),
            ("tcp_backlog_size", 1),
            ("freebind", True),
            ("transparent", True),
            ("connection_balance_config", {"exact_balance": {}}),
        ):
            self.assertRefused(internal(**{field: value}), FEATURE, f'"{field}"')

    def test_emptyBalance(self):
        """An empty balance config breaks a rule."""
        text = internal(connection_balance_config={})
        self.assertRefused(text, 'field: "balance_type", reason: is required')

    def test_mptcp(self):
        """MPTCP."""
        problem = "listener A: enable_mptcp can only be used with IP addresses"
        self.assertRefused(internal(enable_mptcp=True), problem, '"enable_mptcp"')

    def test_chains(self):
        """No chain, two equal ones, overlapping ones, and matches that nobody implements."""
        made = bootstrap([listener("A", "internal:")])
        self.assertRefused(made, CHAINS + "no filter chains specified")
        for chains, problem in (
            (
                [chain(), chain()],
                "filter chain '' has the same matching rules defined as ''. duplicate matcher "
                "is: {}",
            ),
            (
                [chain(server_names=["a.com", "b.com"]), chain(server_names=["b.com"])],
                "multiple filter chains with overlapping matching rules are defined",
            ),
            (
                [chain(server_names=["a.*"])],
                'partial wildcards are not supported in "server_names"',
            ),
            ([chain(address_suffix="1")], "filter chain '' contains unimplemented fields"),
            ([chain(suffix_len=1)], "filter chain '' contains unimplemented fields"),
        ):
            made = listener("A", "internal:", filter_chains=chains)
            self.assertRefused(bootstrap([made]), CHAINS + problem)

    def test_defaultChainsMatch(self):
        """Nobody looks at the match of the default chain, so nothing in it is wrong."""
        for match in ({"suffix_len": 3}, {"address_suffix": "x", "server_names": ["a.*"]}):
            default = {"filters": [echo()], "filter_chain_match": match}
            made = listener("A", "internal:", echo(), default_filter_chain=default)
            self.assertEqual(
                MemoryEnvoy(bootstrap([made])).stat("listener_manager.listener_added"), 1
            )

    def test_accepted(self):
        """What Envoy accepts, whether it does anything or not."""
        fields = {
            "use_original_dst": False,
            "bind_to_port": False,
            "freebind": False,
            "transparent": False,
            "udp_listener_config": {},
            "per_connection_buffer_limit_bytes": 5,
            "traffic_direction": "INBOUND",
            "stat_prefix": "x",
            "max_connections_to_accept_per_socket_event": 3,
            "ignore_global_conn_limit": True,
            "drain_type": "MODIFY_ONLY",
            "listener_filters_timeout": "1s",
            "continue_on_listener_filters_timeout": True,
            "bypass_overload_manager": True,
        }
        envoy = MemoryEnvoy(internal(directResponse("hi"), **fields))
        self.assertEqual(envoy.connect("A").received, b"hi")
        self.assertEqual(envoy.stat("listener.x.downstream_cx_total"), 1)

    def test_noFilters(self):
        """A chain without filters closes its connections at once."""
        envoy = MemoryEnvoy(bootstrap([listener("A", "127.0.0.1:1", filter_chains=[{}])]))
        self.assertTrue(envoy.connect("A").ended)

    def test_noName(self):
        """A listener without a name is accepted, with a name that nobody knows."""
        made = listener("", "internal:", echo())
        envoy = MemoryEnvoy(bootstrap([made]))
        (only,) = envoy.server.listeners
        self.assertEqual(len(only.name), 36)


class FilterRefusalTests(RefusalTestCase):
    """The order of filters, and what stands around them."""

    def test_api(self):
        """API listeners are not there."""
        api = {"api_listener": {}}
        self.assertRefused(
            internal(api_listener=api), "api_listener and internal_listener cannot be both set"
        )
        made = listener("A", "127.0.0.1:1", echo(), api_listener=api)
        problem = ADDING + "missing the API listener extension"
        self.assertRefused(bootstrap([made]), problem, '"api_listener"')

    def test_discovery(self):
        """A filter's config that comes from a server is not implemented."""
        found = {
            "name": "x",
            "config_discovery": {
                "config_source": {"ads": {}},
                "type_urls": ["envoy.extensions.filters.network.echo.v3.Echo"],
            },
        }
        self.assertRefused(internal(found), "config_discovery is not implemented")

    def test_transportSocket(self):
        """raw_buffer is one for both directions; internal_upstream is not."""
        kind = "type.googleapis.com/envoy.extensions.transport_sockets."
        raw = {"name": "raw", "typed_config": {"@type": kind + "raw_buffer.v3.RawBuffer"}}
        for fields in ({"transport_socket": raw}, {"transport_socket_connect_timeout": "1s"}):
            made = {**chain(directResponse("x")), **fields}
            text = bootstrap([listener("A", "127.0.0.1:1", filter_chains=[made])])
            self.assertEqual(MemoryEnvoy(text).connect("A").received, b"x")
        upstream = {
            "name": "mine",
            "typed_config": {
                "@type": kind + "internal_upstream.v3.InternalUpstreamTransport",
                "transport_socket": raw,
            },
        }
        made = {**chain(), "transport_socket": upstream}
        self.assertRefused(
            bootstrap([listener("A", "internal:", filter_chains=[made])]),
            "Didn't find a registered implementation for 'mine' with type URL",
        )

    def test_terminal(self):
        """A terminal filter is the last, and the last is terminal."""
        self.assertRefused(
            internal(tcpProxy(), echo()),
            "Error: terminal filter named tcp of type envoy.filters.network.tcp_proxy must be the "
            "last filter in a network filter chain.",
        )
        self.assertRefused(
            internal(setFilterState("a", "b")),
            "Error: non-terminal filter named state of type envoy.filters.network.set_filter_state "
            "is the last filter in a network filter chain.",
        )


class SharedAddressTests(RefusalTestCase):
    """Two listeners at one place."""

    def test_refused(self):
        """An address of an earlier listener is refused, in whichever place it stands."""
        additional = [{"address": addressOf("127.0.0.1:1")}]
        text = bootstrap(
            [
                listener("a", "127.0.0.1:1", echo()),
                listener("b", "127.0.0.1:2", echo(), additional_addresses=additional),
            ]
        )
        self.assertRefused(
            text,
            "error adding listener: 'b' has duplicate address '127.0.0.1:2,127.0.0.1:1' as "
            "existing listener, to check if the listener has duplicated addresses with other "
            "listeners or 'enable_reuse_port' is set to 'false' for the listener",
        )

    def test_portsThatTheKernelChooses(self):
        """Port 0 is another one each time."""
        made = [listener(name, "127.0.0.1:0", echo()) for name in "ab"]
        self.assertEqual(len(MemoryEnvoy(bootstrap(made)).server.listeners), 2)


class BuiltTests(RefusalTestCase):
    """What a listener becomes."""

    def test_duplicateNames(self):
        """The first of a name wins; the second is warned of, and obeyed in nothing."""
        text = bootstrap(
            [
                listener("A", "internal:", directResponse("first")),
                listener("A", "internal:", directResponse("second"), stat_prefix="second"),
            ]
        )
        envoy = MemoryEnvoy(text)
        self.assertEqual(envoy.connect("A").received, b"first")
        self.assertEqual(len(envoy.server.listeners), 1)
        self.assertEqual(envoy.stat("listener_manager.listener_added"), 1)

    def test_statPrefix(self):
        """By address, by name for an internal one, or as configured."""
        text = bootstrap(
            [
                listener("a", "127.0.0.1:1", echo()),
                listener("b", "::1:2", echo()),
                listener("c", "/tmp/pipe", echo()),
                listener("d", "internal:", echo()),
                listener("e", "127.0.0.1:3", echo(), stat_prefix="own"),
            ]
        )
        prefixes = {one.name: one.statPrefix for one in MemoryEnvoy(text).server.listeners}
        self.assertEqual(
            prefixes,
            {
                "a": "127.0.0.1_1",
                "b": "[__1]_2",
                "c": "/tmp/pipe",
                "d": "envoy_internal_d",
                "e": "own",
            },
        )

    def test_additional(self):
        """A listener has as many addresses as it is given."""
        additional = [{"address": addressOf("127.0.0.1:2")}, {"address": addressOf("::1:3")}]
        made = listener("A", "127.0.0.1:1", directResponse("x"), additional_addresses=additional)
        envoy = MemoryEnvoy(bootstrap([made]))
        for where in ("127.0.0.1:1", "127.0.0.1:2", "[::1]:3"):
            self.assertEqual(envoy.connect(where).received, b"x")

    def test_bufferLimit(self):
        """per_connection_buffer_limit_bytes, 1 MiB when nothing is said."""
        text = bootstrap(
            [
                listener("a", "127.0.0.1:1", echo()),
                listener("b", "127.0.0.1:2", echo(), per_connection_buffer_limit_bytes=4096),
            ]
        )
        listeners = MemoryEnvoy(text).server.listeners
        self.assertEqual([one.settings.bufferLimit for one in listeners], [1024 * 1024, 4096])

    def test_noBufferLimit(self):
        """0 is no limit, as in Envoy."""
        made = listener("A", "127.0.0.1:1", echo(), per_connection_buffer_limit_bytes=0)
        envoy = MemoryEnvoy(bootstrap([made]))
        client = envoy.connect("A")
        client.write(b"x" * 100_000)
        envoy.settle()
        self.assertEqual(len(client.received), 100_000)

    def test_limit(self):
        """A runtime key limits one listener's connections."""
        layer = {"envoy.resource_limits.listener.A.connection_limit": 1}
        text = bootstrap(
            [listener("A", "127.0.0.1:1", echo())],
            layered_runtime={"layers": [{"name": "static", "static_layer": layer}]},
        )
        envoy = MemoryEnvoy(text)
        envoy.connect("A")
        self.assertTrue(envoy.connect("A").ended)
        self.assertEqual(envoy.stat("listener.127.0.0.1_1.downstream_cx_overflow"), 1)

    def test_match(self):
        """A chain is chosen by its match; the default one takes the rest."""
        made = listener(
            "A",
            "127.0.0.1:1",
            filter_chains=[
                chain(
                    directResponse("near"),
                    source_prefix_ranges=[{"address_prefix": "10.0.0.0", "prefix_len": 8}],
                )
            ],
            default_filter_chain=chain(directResponse("far")),
        )
        envoy = MemoryEnvoy(bootstrap([made]))
        self.assertEqual(envoy.connect("A", source="10.1.1.1:1").received, b"near")
        self.assertEqual(envoy.connect("A", source="11.1.1.1:1").received, b"far")

    def test_log(self):
        """A listener's own access log has one record a connection, of no type."""
        log = logTo("log", "%ACCESS_LOG_TYPE% %RESPONSE_FLAGS%")
        chains = [chain(directResponse("x"), destination_port=5)]
        envoy = MemoryEnvoy(
            bootstrap(
                [
                    listener("A", "127.0.0.1:1", echo(), access_log=log),
                    listener("B", "127.0.0.1:2", filter_chains=chains, access_log=log),
                ]
            )
        )
        envoy.connect("A").abortConnection()
        envoy.settle()
        envoy.connect("B")
        self.assertEqual(envoy.lines("log"), ["NotSet -", "NotSet NR"])

    def test_metadata(self):
        """A listener's metadata is what filters may know of it."""
        metadata = {"filter_metadata": {"ns": {"a": 1}}}
        made = listener("A", "internal:", echo(), metadata=metadata, traffic_direction="OUTBOUND")
        (only,) = MemoryEnvoy(bootstrap([made])).server.listeners
        self.assertEqual(only.info.metadata, {"ns": {"a": 1}})
        self.assertEqual(only.info.trafficDirection, "OUTBOUND")

    def test_metadataOfChains(self):
        """A chain's metadata is its connections'."""
        text = "%METADATA(LISTENER_FILTER_CHAIN:ns:a)%"
        chains = [{"filters": [echo()], "metadata": {"filter_metadata": {"ns": {"a": 1}}}}]
        made = listener("A", "127.0.0.1:1", filter_chains=chains, access_log=logTo("log", text))
        envoy = MemoryEnvoy(bootstrap([made]))
        envoy.connect("A").abortConnection()
        envoy.settle()
        self.assertEqual(envoy.lines("log"), ["1"])

    def test_loop(self):
        """Two listeners that lead to each other end at the hop guard, and the log says so."""
        flags = "%RESPONSE_FLAGS% %UPSTREAM_TRANSPORT_FAILURE_REASON%"
        text = bootstrap(
            [
                listener("A", "internal:", tcpProxy("b", access_log=logTo("log", flags))),
                listener("B", "internal:", tcpProxy("a", access_log=logTo("log", flags))),
                listener("in", "127.0.0.1:1", tcpProxy("a", access_log=logTo("in", flags))),
            ],
            [cluster("a", "internal:A"), cluster("b", "internal:B")],
        )
        envoy = MemoryEnvoy(text)
        self.assertTrue(envoy.connect("in").wasReset)
        self.assertIn("the_limit_is_32", envoy.lines("log")[0])
        self.assertTrue(envoy.lines("log")[0].startswith("UF,URX "))
        self.assertTrue(envoy.lines("in")[0].startswith("UR "))
        self.assertEqual(getRegistry(envoy.clock).maxHops, 32)


class ChainMatcherTests(RefusalTestCase):
    """Listeners with a `filter_chain_matcher`."""

    def matching(self, *names, **fields):
        """Listener `in` on 127.0.0.1:9000, with chains of these names that answer with them."""
        stringValue = "type.googleapis.com/google.protobuf.StringValue"
        action = {"name": "b", "typed_config": {"@type": stringValue, "value": "b"}}
        kind = "matching.common_inputs.network.v3.DestinationPortInput"
        entries = {"9000": {"action": action}}
        tree = {"input": typed("port", kind), "exact_match_map": {"map": entries}}
        chains = [{"name": name, "filters": [directResponse(name)]} for name in names]
        more = {"filter_chain_matcher": {"matcher_tree": tree}, "filter_chains": chains, **fields}
        return bootstrap([listener("in", "127.0.0.1:9000", **more)])

    def test_chosen(self):
        """By name; the default chain is only for what leads nowhere."""
        for names, answer in ((("a", "b"), b"b"), (("a",), b"")):
            default = {"filters": [directResponse("default")]}
            envoy = MemoryEnvoy(self.matching(*names, default_filter_chain=default))
            self.addCleanup(envoy.stop)
            client = envoy.connect("127.0.0.1:9000")
            envoy.settle()
            self.assertEqual(client.received, answer)
            missing = envoy.stat("listener.127.0.0.1_9000.no_filter_chain_match")
            self.assertEqual(missing, 0 if answer else 1)

    def test_names(self):
        """Every chain needs one of its own."""
        where = "error adding listener '127.0.0.1:9000': "
        self.assertRefused(
            self.matching("a", "a"), f"{where}\"name\" field is duplicated with value 'a'", "{"
        )
