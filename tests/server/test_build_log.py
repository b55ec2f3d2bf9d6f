"""Tests for `twisted_envoy.server.build_log`; texts as observed on Envoy 1.40."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.build_log import buildLogFormat
from twisted_envoy.server.log_format import LogRecord
from twisted_envoy.server.options import ServerOptions

RECORD = LogRecord(0.0, "info", "main", 'say "hi"')


class BuildLogFormatTests(SynchronousTestCase):
    """`application_log_config`."""

    def line(self, config: Any, options: ServerOptions | None = None) -> str | None:
        """One line in the format of this config; None when it asks for none."""
        bootstrap = configOf("envoy.config.bootstrap.v3.Bootstrap", config)
        made = buildLogFormat(bootstrap, options or ServerOptions())
        self.assertEqual(unreadFields(bootstrap), [])
        return None if made is None else made(RECORD)

    def form(self, **form: Any) -> Any:
        """A bootstrap with this log_format."""
        return {"application_log_config": {"log_format": form}}

    def refused(self, config: Any, options: ServerOptions | None = None) -> str:
        """The problem that it is refused for."""
        return self.assertRaises(ConfigError, self.line, config, options).problem

    def test_none(self) -> None:
        """Nothing is asked for."""
        self.assertIsNone(self.line({}))
        self.assertIsNone(self.line({"application_log_config": {}}))

    def test_text(self) -> None:
        """A pattern."""
        self.assertEqual(self.line(self.form(text_format="%l: %v")), 'info: say "hi"')

    def test_json(self) -> None:
        """Tokens anywhere in it; what is no text stays what it is."""
        form = {"m": "%j", "k%l": ["%n", {"x": 'a"%l'}], "n": 5, "b": True, "z": None}
        self.assertEqual(
            self.line(self.form(json_format=form)),
            '{"b":true,"kinfo":["main",{"x":"a\\"info"}],"m":"say \\"hi\\"","n":5,"z":null}',
        )
        self.assertEqual(self.line(self.form(json_format={})), "{}")

    def test_jsonNeedsQuotes(self) -> None:
        """Tokens that do not quote are refused."""
        for token in ("%v", "%_"):
            self.assertEqual(
                self.refused(self.form(json_format={"m": f"a {token}"})),
                "setJsonLogFormat error: INVALID_ARGUMENT: "
                f"Usage of {token} is unavailable for JSON log formats",
            )

    def test_onlyOne(self) -> None:
        """Not beside --log-format."""
        self.assertEqual(
            self.refused(self.form(text_format="%v"), ServerOptions(logFormat="%v")),
            "Only one of ApplicationLogConfig.log_format or CLI option --log-format can be "
            "specified.",
        )

    def test_unknownToken(self) -> None:
        """A token that nobody knows is named."""
        self.assertIn("unknown token '%q'", self.refused(self.form(text_format="%q")))
