"""Tests for twisted_envoy.extensions.access_loggers.file.config."""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.access_log.contexts import Context
from tests.formatter.records import fullRecord
from tests.formatter.views import viewOfYAML
from twisted_envoy.access_log.manager import AccessLogManager
from twisted_envoy.config.unread import unread
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.access_loggers.file import factories
from twisted_envoy.interfaces.access_log import IAccessLogger
from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.stats.scope import Store

(FACTORY,) = factories
DEFAULT_LINE = '[2026-11-23T02:15:12.374Z] "- - -" 0 - 5 6 21 - "-" "-" "-" "-" "10.0.0.9:80"'


class FileAccessLogTests(SynchronousTestCase):
    def lines(self, yaml: str) -> list[str]:
        context = Context()
        view = viewOfYAML(FACTORY.typeURL, "path: /log\n" + yaml)
        logger = FACTORY.build(view, context)
        self.assertEqual([one.path for one in unread(view)], [])
        verifyObject(IAccessLogger, logger)
        logger.log(fullRecord())
        return context.accessLogs.lines("/log")

    def problem(self, yaml: str, context: Any = None) -> ConfigError:
        view = viewOfYAML(FACTORY.typeURL, yaml)
        return self.assertRaises(ConfigError, FACTORY.build, view, context or Context())

    def test_factory(self) -> None:
        """It is an extension factory."""
        verifyObject(IExtensionFactory, FACTORY)
        self.assertEqual(FACTORY.category, "access_loggers")

    def test_defaultFormat(self) -> None:
        """Without a format, and with an empty old one, Envoy's own line."""
        self.assertEqual(self.lines(""), [DEFAULT_LINE])
        self.assertEqual(self.lines("format: ''"), [DEFAULT_LINE])

    def test_oldFormats(self) -> None:
        """The three deprecated fields; JSON keeps types in both."""
        self.assertEqual(self.lines('format: "old %BYTES_SENT%\\n"'), ["old 6"])
        json = ['{"a":6,"n":{"x":null}}']
        struct = '{a: "%BYTES_SENT%", n: {x: "%PROTOCOL%"}}'
        self.assertEqual(self.lines(f"json_format: {struct}"), json)
        self.assertEqual(self.lines(f"typed_json_format: {struct}"), json)

    def test_logFormat(self) -> None:
        """A SubstitutionFormatString; its content type means nothing to a file."""
        self.assertEqual(
            self.lines('log_format: {text_format: "t %BYTES_SENT%", content_type: text/x}'),
            ["t 6"],
        )
        self.assertEqual(self.lines('log_format: {json_format: {a: "%BYTES_SENT%"}}'), ['{"a":6}'])

    def test_wrongFormats(self) -> None:
        """Errors name the field."""
        text = "Not supported field in StreamInfo: X"
        for line in (
            'format: "%X%"',
            'json_format: {a: "%X%"}',
            'log_format: {text_format: "%X%"}',
        ):
            error = self.problem(f"path: /log\n{line}")
            self.assertEqual(error.problem, text)
            self.assertEqual(error.position.line if error.position else 0, 2)

    def test_realFile(self) -> None:
        """Two loggers of one path share the file."""
        path = os.path.abspath(self.mktemp())
        manager = AccessLogManager(Clock(), Store())
        context = Context(manager)
        yaml = f'path: {path}\nlog_format: {{text_format: "%BYTES_SENT%\\n"}}'
        for _ in range(2):
            FACTORY.build(viewOfYAML(FACTORY.typeURL, yaml), context).log(fullRecord())

        manager.close()

        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "6\n6\n")

    def test_aFileThatCannotBeOpened(self) -> None:
        """Envoy's words, at the path's place."""
        context = Context(AccessLogManager(Clock(), Store()))

        error = self.problem("path: /nope/x.log", context)

        self.assertEqual(
            error.problem, "unable to open file '/nope/x.log': No such file or directory"
        )
        self.assertEqual(error.position.line if error.position else 0, 1)
