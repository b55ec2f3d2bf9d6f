"""Tests for twisted_envoy.access_log.logger."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.access_log.contexts import Context
from tests.formatter.records import fullRecord, requestRecord
from tests.formatter.views import viewOfYAML
from twisted_envoy.access_log.logger import buildAccessLogs
from twisted_envoy.formatter.sameness import ANSWER, REPLY, REQUEST
from twisted_envoy.interfaces.access_log import IAccessLogger

LOG = """
name: a
typed_config:
  "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
  path: /log
  log_format: {text_format_source: {inline_string: "%BYTES_SENT%\\n"}}
"""


class BuildAccessLogsTests(SynchronousTestCase):
    def test_none(self) -> None:
        """No views, no loggers."""
        self.assertEqual(buildAccessLogs((), Context()), ())

    def test_inOrder(self) -> None:
        """Each view becomes one logger of the access_loggers category."""
        context = Context()
        view = viewOfYAML("envoy.config.accesslog.v3.AccessLog", LOG)

        loggers = buildAccessLogs((view, view), context)
        for logger in loggers:
            verifyObject(IAccessLogger, logger)
            logger.log(fullRecord())

        self.assertEqual(context.categories, ["access_loggers"] * 2)
        self.assertEqual(context.accessLogs.lines("/log"), ["6", "6"])

    def test_filtered(self) -> None:
        """A filter decides about each record."""
        context = Context()
        filter = "filter: {log_type_filter: {types: [TcpConnectionStart]}}\n"
        view = viewOfYAML("envoy.config.accesslog.v3.AccessLog", LOG + filter)
        (logger,) = buildAccessLogs((view,), context)
        verifyObject(IAccessLogger, logger)

        for kind in ("TcpConnectionStart", "TcpConnectionEnd"):
            record = fullRecord()
            record.accessLogType = kind
            logger.log(record)

        self.assertEqual(context.accessLogs.lines("/log"), ["6"])

    def test_alike(self) -> None:
        """Records that are alike are written, and chosen, as others are."""
        context = Context()
        filter = "filter: {log_type_filter: {types: [TcpConnectionStart]}}\n"
        config = LOG.replace("%BYTES_SENT%", "%BYTES_SENT% %CONNECTION_ID%")
        plain = viewOfYAML("envoy.config.accesslog.v3.AccessLog", config)
        chosen = viewOfYAML("envoy.config.accesslog.v3.AccessLog", config + filter)
        omitting = config.replace("log_format: {", "log_format: {omit_empty_values: true, ")
        omitting = omitting.replace("text_format_source: {inline_string: ", "json_format: {a: ")
        struct = viewOfYAML("envoy.config.accesslog.v3.AccessLog", omitting)
        record = fullRecord()
        expected = []
        for logger in buildAccessLogs((plain, chosen, struct), context):
            log = logger.alike(record, REQUEST, False).log  # type: ignore[attr-defined]
            for kind in ("TcpConnectionStart", "TcpConnectionEnd"):
                record.accessLogType = kind
                logger.log(record)
                expected = context.accessLogs.lines("/log")[-1:] * 2
                log(record)
                self.assertEqual(context.accessLogs.lines("/log")[-2:], expected)
        self.assertEqual(len(context.accessLogs.lines("/log")), 10)

    def test_stamp(self) -> None:
        """Lines that differ in their time only are written as others are; equal ones are one."""
        context = Context()
        config = LOG.replace("%BYTES_SENT%", "%BYTES_SENT% %START_TIME%")
        record = fullRecord()
        ours = (record, ANSWER, False)
        loggers: list[Any] = []
        for source in (config, LOG.replace("%BYTES_SENT%", "%START_TIME(%f)%")):
            view = viewOfYAML("envoy.config.accesslog.v3.AccessLog", source)
            loggers += buildAccessLogs((view,), context)
        stamped, fine = loggers
        write = stamped.stamp(*ours)
        stamped.log(record)
        write(record.streamInfo.startTime, b"")
        lines = context.accessLogs.lines("/log")

        self.assertEqual(lines, ["6 2026-11-23T02:15:12.374Z"] * 2)
        self.assertEqual(stamped.stamp(*ours), write)
        self.assertIsNone(fine.stamp(*ours))
        for number in range(1000):
            record.streamInfo.bytesSent = number
            stamped.stamp(*ours)
        self.assertLess(len(stamped._stamps), 300)

    def test_sameTexts(self) -> None:
        """What is known of records is known once, and not of all that ever were."""
        view = viewOfYAML("envoy.config.accesslog.v3.AccessLog", LOG.replace("BYTES_SENT", "PATH"))
        (logger,) = buildAccessLogs((view,), Context())
        alike: Any = logger.alike  # type: ignore[attr-defined]
        one, other = requestRecord(), requestRecord()
        found = alike(one, REQUEST, False)
        self.assertIs(alike(other, REQUEST, True), found)
        for number in range(1000):
            one.streamInfo.requestHeaders[b":path"] = b"/%d" % number
            self.assertIsNot(alike(one, REQUEST, False), found)
        self.assertLess(len(alike.__self__._alike), 300)

    def test_late(self) -> None:
        """A line with the time of the record is stamped only where that is the request's."""
        config = LOG.replace("%BYTES_SENT%", "%EMIT_TIME%")
        view = viewOfYAML("envoy.config.accesslog.v3.AccessLog", config)
        (logger,) = buildAccessLogs((view,), Context())
        stamp: Any = logger.stamp  # type: ignore[attr-defined]
        self.assertIsNotNone(stamp(fullRecord(), ANSWER, False))
        self.assertIsNone(stamp(fullRecord(), REPLY, False))
