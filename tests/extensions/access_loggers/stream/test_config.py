"""Tests for twisted_envoy.extensions.access_loggers.stream.config."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.access_log.contexts import Context
from tests.formatter.records import fullRecord
from tests.formatter.views import viewOfYAML
from twisted_envoy.config.unread import unread
from twisted_envoy.extensions.access_loggers.stream import factories
from twisted_envoy.interfaces.extensions import IExtensionFactory


class StreamAccessLogTests(SynchronousTestCase):
    def test_streams(self) -> None:
        """Each factory writes to its own stream, in the default or a given format."""
        for factory, path in zip(factories, ("/dev/stdout", "/dev/stderr"), strict=True):
            verifyObject(IExtensionFactory, factory)
            context = Context()
            for yaml in ("{}", "log_format: {text_format: '%BYTES_SENT%', content_type: x}"):
                view = viewOfYAML(factory.typeURL, yaml)
                factory.build(view, context).log(fullRecord())
                self.assertEqual(unread(view), [])

            first, second = context.accessLogs.lines(path)
            self.assertIn('"- - -" 0 - 5 6 21', first)
            self.assertEqual(second, "6")
            self.assertEqual(list(context.accessLogs.files), [path])
