"""Objects made of texts: what is accepted and how it prints, as observed on real Envoy."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.extensions.common.filter_state.objects import DEBUG_CONFIG, OBJECT_FACTORIES

IDLE = "envoy.tcp_proxy.per_connection_idle_timeout_ms"
ADDRESS = "envoy.network.transport_socket.original_dst_address"


def printed(key, text):
    """(PLAIN, TYPED) of the object; None when there is none."""
    made = OBJECT_FACTORIES[key](text)
    return None if made is None else (made.plainText(), made.typed())


class TextTests(SynchronousTestCase):
    def test_texts(self):
        """Each key has its own forms."""
        self.assertEqual(printed("envoy.string", "a b"), ("a b", "a b"))
        self.assertEqual(printed("envoy.hashable_string", ""), ("", ""))
        self.assertEqual(printed("envoy.tcp_proxy.cluster", "c"), ("c", None))
        self.assertEqual(printed("envoy.network.upstream_server_name", "a.b"), ("a.b", None))
        self.assertEqual(printed("envoy.network.network_namespace", "/a"), ("/a", None))
        self.assertEqual(printed("envoy.upstream.dynamic_host", "a.b"), ("a.b", "a.b"))

    def test_unprinted(self):
        """They have an effect, or none, and no text."""
        for key in ("envoy.network.transport_socket.http_11_proxy.info", DEBUG_CONFIG):
            self.assertEqual(printed(key, "true"), (None, None))
        kept = [OBJECT_FACTORIES[DEBUG_CONFIG](text).doNotForward for text in ("true", "True", "")]
        self.assertEqual(kept, [True, False, False])

    def test_models(self):
        """A name that is not empty; a protocol of a list."""
        self.assertEqual(printed("envoy.ai.model.request", "m"), ("m", "m"))
        self.assertIsNone(printed("envoy.ai.model.request", ""))
        key = "envoy.ai.llm_protocol.request"
        self.assertEqual(printed(key, "OPENAI_RESPONSES"), ("OPENAI_RESPONSES", None))
        for text in ("openai_responses", "LLM_PROTOCOL_UNSPECIFIED", "1", ""):
            self.assertIsNone(printed(key, text))

    def test_lists(self):
        """The parts are kept, empty ones too; one kind prints, the other does not."""
        names = OBJECT_FACTORIES["envoy.network.upstream_subject_alt_names"]("a,,b ,")
        protocols = OBJECT_FACTORIES["envoy.network.application_protocols"]("h2,http/1.1")

        self.assertEqual(names.items, ("a", "", "b ", ""))
        self.assertEqual((names.plainText(), names.typed()), ("a,,b ,", None))
        self.assertEqual(protocols.items, ("h2", "http/1.1"))
        self.assertEqual((protocols.plainText(), protocols.typed()), (None, None))

    def test_onlyHashableStringsAndAddressesSeparatePools(self):
        """The others take no part in a pool's key."""
        keyed = {
            key
            for key, make in OBJECT_FACTORIES.items()
            for text in ("1", "1.2.3.4:5", "1.2.3.4")
            if (made := make(text)) is not None and made.hashKey() is not None
        }
        self.assertEqual(
            keyed,
            {
                "envoy.hashable_string",
                "envoy.network.ip",
                ADDRESS,
                "envoy.filters.listener.original_dst.local_ip",
                "envoy.filters.listener.original_dst.remote_ip",
            },
        )


class BoolTests(SynchronousTestCase):
    def test_bools(self):
        """Many words for each, in any case; everything else is refused."""
        for text in ("true", "True", "TRUE", "t", "yes", "Y", "1"):
            self.assertEqual(printed("envoy.bool", text), ("true", True))
        for text in ("false", "f", "no", "N", "0"):
            self.assertEqual(printed("envoy.bool", text), ("false", False))
        for text in ("", " true", "2", "on"):
            self.assertIsNone(printed("envoy.bool", text))

    def test_disableTunneling(self):
        """Only one word is true, nothing is refused."""
        key = "envoy.tcp_proxy.disable_tunneling"
        self.assertEqual(printed(key, "true"), ("true", True))
        for text in ("True", "1", "x", ""):
            self.assertEqual(printed(key, text), ("false", False))


class NumberTests(SynchronousTestCase):
    def test_64Bits(self):
        """Blanks around it and a plus are accepted; TYPED is quoted, as JSON wants it."""
        for text, number in ((" 5", "5"), ("+5", "5"), ("5 ", "5"), ("007", "7"), ("0", "0")):
            self.assertEqual(printed(IDLE, text), (number, number))
        most = str(2**64 - 1)
        self.assertEqual(printed(IDLE, most), (most, most))
        self.assertEqual(OBJECT_FACTORIES[IDLE]("7").number, 7)
        for text in (str(2**64), "-1", "-0", "1.0", "0x10", "", "1_0", "٣", "5\n6"):
            self.assertIsNone(printed(IDLE, text))

    def test_32Bits(self):
        """TYPED is a number."""
        for key in ("envoy.upstream.dynamic_port", "envoy.ratelimit.hits_addend"):
            self.assertEqual(printed(key, "80"), ("80", 80))
            self.assertEqual(printed(key, "4294967295"), ("4294967295", 4294967295))
            self.assertIsNone(printed(key, "4294967296"))


class AddressTests(SynchronousTestCase):
    def test_addressAndPort(self):
        """Both families, with fields."""
        for key in (ADDRESS, "envoy.filters.listener.original_dst.local_ip"):
            four = OBJECT_FACTORIES[key]("1.2.3.4:80")
            six = OBJECT_FACTORIES[key]("[::1]:80")
            self.assertEqual((four.plainText(), four.typed()), ("1.2.3.4:80", None))
            self.assertEqual((four.field("ip"), four.field("port")), ("1.2.3.4", 80))
            self.assertEqual((six.plainText(), six.field("ip")), ("[::1]:80", "::1"))
            self.assertIsNone(four.field("0"))
        self.assertEqual(printed(ADDRESS, "1.2.3.4:0"), ("1.2.3.4:0", None))

    def test_shortest(self):
        """An IPv6 address is shown in its shortest form, a scope as a number."""
        for text, shown in (
            ("FE80:0::1", "fe80::1"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
            ("::FFFF:1.2.3.4", "::ffff:1.2.3.4"),
            ("fe80::1%5", "fe80::1%5"),
            ("fe80::1%0", "fe80::1"),
        ):
            made = OBJECT_FACTORIES[ADDRESS](f"[{text}]:9")
            self.assertEqual((made.plainText(), made.field("ip")), (f"[{shown}]:9", shown))
            self.assertEqual(made.address.host, shown)
            self.assertEqual(printed("envoy.network.ip", text), (f"[{shown}]:0", None))
        for text in ("fe80::1%", "fe80::1%no such", "1.2.3.4%1"):
            self.assertIsNone(printed("envoy.network.ip", text))

    def test_whatIsNoAddress(self):
        """Refused."""
        for text in (
            "x",
            "1.2.3.4",
            "1.2.3.4:99999",
            " 1.2.3.4:80",
            "::1:80",
            "[1.2.3.4]:80x",
            "1.2.3:80",
            "1.2.3.4:",
            "",
        ):
            self.assertIsNone(printed(ADDRESS, text), text)

    def test_addressAlone(self):
        """Prints with the port 0 and has no fields."""
        self.assertEqual(printed("envoy.network.ip", "1.2.3.4"), ("1.2.3.4:0", None))
        self.assertEqual(printed("envoy.network.ip", "::1"), ("[::1]:0", None))
        self.assertIsNone(OBJECT_FACTORIES["envoy.network.ip"]("::1").field("ip"))
        for text in ("x", "1.2.3.4:80", "[::1]", ""):
            self.assertIsNone(printed("envoy.network.ip", text))

    @given(st.sampled_from(sorted(OBJECT_FACTORIES)), st.text())
    def test_noTextMakesAFactoryRaise(self, key, text):
        """Any text gives an object that prints, or none."""
        made = OBJECT_FACTORIES[key](text)
        if made is not None:
            made.plainText(), made.typed(), made.field("ip"), made.hashKey()

    def test_uint64(self) -> None:
        """`envoy.uint64`, which Envoy 1.40 does not have yet."""
        made = OBJECT_FACTORIES["envoy.uint64"](str((1 << 64) - 1))
        self.assertEqual(made.plainText() if made else None, "18446744073709551615")
        for text in ("-1", "x", "", str(1 << 64)):
            self.assertIsNone(OBJECT_FACTORIES["envoy.uint64"](text))
