"""Tests for twisted_envoy.formatter.operators.process."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.records import bareRecord
from twisted_envoy.formatter.json_format import compileJSON
from twisted_envoy.formatter.text import compileText


class ProcessTests(SynchronousTestCase):
    def test_hostname(self) -> None:
        """This machine's name."""
        self.assertEqual(compileText("%HOSTNAME%")(bareRecord()), socket.gethostname())

    def test_environment(self) -> None:
        """A variable, cut to a length; a dash even in JSON when it is not set."""
        self.patch(os, "environ", {"SOME": "value"})

        text = compileText("%ENVIRONMENT(SOME)% %ENVIRONMENT(SOME):3% %ENVIRONMENT(NOPE)%")

        self.assertEqual(text(bareRecord()), "value val -")
        self.assertEqual(compileJSON({"e": "%ENVIRONMENT(NOPE)%"})(bareRecord()), '{"e":"-"}\n')
