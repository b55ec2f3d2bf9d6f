"""Values compiled from a config and applied to a stream."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.common.filter_state.values import compileValues
from twisted_envoy.state.filter_state import FilterState, LifeSpan, Sharing
from twisted_envoy.state.stream_info import FormatContext, StreamInfo

CONFIG = "envoy.extensions.filters.network.set_filter_state.v3.Config"


def value(key, text="x", **fields):
    source = {"text_format_source": {"inline_string": text}}
    return {"object_key": key, "format_string": source, **fields}


class ValueTests(SynchronousTestCase):
    def compile(self, *values):
        self.config = configOf(CONFIG, {"on_new_connection": values})
        return compileValues(self.config.on_new_connection, Context())

    def applied(self, *values, info=None):
        info = StreamInfo(0.0) if info is None else info
        for each in self.compile(*values):
            each.apply(FormatContext(info), LifeSpan.CONNECTION)
        return info.filterState

    def refusal(self, *values):
        with self.assertRaises(ConfigError) as caught:
            self.compile(*values)
        self.assertIsNotNone(caught.exception.position)
        return caught.exception.problem

    def test_theKeyIsTheFactoryUnlessOneIsNamed(self):
        """And always the object's name."""
        state = self.applied(value("envoy.string"), value("k", "t", factory_key="envoy.bool"))
        self.assertEqual(state.get("envoy.string").plainText(), "x")
        self.assertIs(state.get("k").typed(), True)

    def test_formats(self):
        """Text is made of the stream's values; unset prints a dash."""
        info = StreamInfo(0.0)
        info.requestedServerName = "a.b"
        text = "sni=%REQUESTED_SERVER_NAME% p=%PROTOCOL%"
        state = self.applied(value("k", text, factory_key="envoy.string"), info=info)
        self.assertEqual(state.get("k").plainText(), "sni=a.b p=-")

    def test_jsonFormat(self):
        """Ends with a newline."""
        json = {
            "object_key": "envoy.string",
            "format_string": {"json_format": {"b": "%PROTOCOL%", "a": 1}},
        }
        state = self.applied(json)
        self.assertEqual(state.get("envoy.string").plainText(), '{"a":1,"b":null}\n')

    def test_laterValuesOverwrite(self):
        """Also one that said read_only: Envoy ignores that."""
        state = self.applied(
            value("envoy.string", "one", read_only=True), value("envoy.string", "two")
        )
        self.assertEqual(state.get("envoy.string").plainText(), "two")
        self.assertEqual(unreadFields(self.config), [])

    def test_emptyTexts(self):
        """Are set, unless they are to be left out; a dash is not empty."""
        self.assertEqual(self.applied(value("envoy.string", "")).get("envoy.string").value, "")
        left = self.applied(value("envoy.string", "", skip_if_empty=True))
        self.assertIsNone(left.get("envoy.string"))
        unset = "%REQUESTED_SERVER_NAME%"
        dash = self.applied(value("envoy.string", unset, skip_if_empty=True))
        self.assertEqual(dash.get("envoy.string").value, "-")

    def test_refusedTextsChangeNothing(self):
        """What was there stays."""
        state = self.applied(value("envoy.bool", "true"), value("envoy.bool", "x"))
        self.assertIs(state.get("envoy.bool").typed(), True)

    def test_sharing(self):
        """As configured; nothing is shared by default."""
        state = self.applied(
            value("a", factory_key="envoy.string"),
            value("b", factory_key="envoy.string", shared_with_upstream="ONCE"),
            value("c", factory_key="envoy.string", shared_with_upstream="TRANSITIVE"),
        )
        sharing = {name: state.entry(name).sharing for name in "abc"}
        self.assertEqual(sharing, {"a": Sharing.NONE, "b": Sharing.ONCE, "c": Sharing.TRANSITIVE})

    def test_unknownSharing(self):
        """A number that has no name is accepted, as by Envoy, and shares nothing."""
        for number in (99, -1):
            state = self.applied(value("envoy.string", shared_with_upstream=number))
            self.assertIs(state.entry("envoy.string").sharing, Sharing.NONE)

    def test_lifeSpan(self):
        """A request's value may live as long as its connection."""
        connection = FilterState()
        info = StreamInfo(0.0, filterState=FilterState(connection, LifeSpan.FILTER_CHAIN))
        (one,) = self.compile(value("envoy.string"))

        one.apply(FormatContext(info), LifeSpan.FILTER_CHAIN)
        self.assertIsNone(connection.get("envoy.string"))
        info = StreamInfo(0.0, filterState=FilterState(connection, LifeSpan.FILTER_CHAIN))
        one.apply(FormatContext(info), LifeSpan.CONNECTION)
        self.assertEqual(connection.get("envoy.string").value, "x")

    def test_noFactory(self):
        """Envoy's words name the key, not the factory."""
        self.assertEqual(self.refusal(value("my.key")), "'my.key' does not have an object factory")
        self.assertEqual(
            self.refusal(value("k", factory_key="nope")), "'k' does not have an object factory"
        )

    def test_badFormat(self):
        """Told after a missing factory."""
        bad = "%NOPE%"
        self.assertIn("NOPE", self.refusal(value("envoy.string", bad)))
        self.assertIn("object factory", self.refusal(value("a", bad)))
