"""Tests for `twisted_envoy.server.options`."""

from __future__ import annotations

import io
import sys

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.server.options import Options, ServerOptions


class OptionsTests(SynchronousTestCase):
    """Envoy's flags."""

    def parse(self, *arguments: str) -> ServerOptions:
        """What a command line says."""
        options = Options()
        options.parseOptions(arguments)
        return options.serverOptions

    def refused(self, *arguments: str) -> str:
        """The one line about a wrong command line."""
        self.patch(sys, "stderr", io.StringIO())
        error = self.assertRaises(SystemExit, self.parse, *arguments)
        self.assertEqual(error.code, 1)
        text = sys.stderr.getvalue()
        self.assertEqual(text.count("\n"), 1)
        self.assertTrue(text.startswith("error: "))
        return text[7:-1]

    def test_defaults(self) -> None:
        """Nothing given: Envoy's defaults."""
        self.assertEqual(self.parse(), ServerOptions())

    def test_everything(self) -> None:
        """Each flag reaches its field, seconds are seconds."""
        found = self.parse(
            *"-c f --config-yaml y --mode validate -l warn --component-log-level main:debug "
            "--log-format %v --log-path p --service-node n --service-cluster s --service-zone z "
            "--admin-address-path a --drain-time-s 5 --drain-strategy immediate "
            "--parent-shutdown-time-s 7 --file-flush-interval-msec 250 --concurrency 1 --base-id 3 "
            "--disable-hot-restart --log-format-escaped --skip-deprecated-logs "
            "--allow-unsupported".split()
        )
        expected = ServerOptions(
            configPath="f",
            configYAML="y",
            mode="Validate",
            logLevel="warn",
            componentLogLevel="main:debug",
            logFormat="%v",
            logFormatEscaped=True,
            logPath="p",
            serviceNode="n",
            serviceCluster="s",
            serviceZone="z",
            adminAddressPath="a",
            drainTime=5.0,
            drainStrategy="Immediate",
            parentShutdownTime=7.0,
            fileFlushInterval=0.25,
            baseID=3,
            allowUnsupported=True,
            skipDeprecatedLogs=True,
        )
        self.assertEqual(found, expected)
        self.assertTrue(found.validating)
        self.assertEqual(found.logControl().levelOf("main"), "debug")
        self.assertEqual(found.logControl().levelOf("http"), "warning")

    def test_unknownFlag(self) -> None:
        """An unknown flag is an error."""
        self.assertIn("option --nope not recognized", self.refused("--nope"))

    def test_flagsThatAreNotObeyed(self) -> None:
        """A flag of Envoy's without effect here says why it is refused."""
        self.assertEqual(
            self.refused("--restart-epoch", "1"),
            "option --restart-epoch is not supported: hot restart is not implemented",
        )
        self.assertIn("always refused", self.refused("--allow-unknown-static-fields"))

    def test_badValues(self) -> None:
        """Each wrong value is named."""
        for arguments, text in (
            (("--mode", "nope"), "unknown mode 'nope'"),
            (("--drain-strategy", "nope"), "unknown drain-strategy 'nope'"),
            (("-l", "nope"), "invalid log level specified 'nope'"),
            (("--component-log-level", "admin"), "not correctly specified 'admin'"),
            (("--component-log-level", "nope:info"), "invalid component specified 'nope'"),
            (("--log-format", "%q"), "unknown token '%q'"),
            (("--concurrency", "257"), "at most 256"),
            (("--concurrency", "x"), "--concurrency: not a number"),
            (("--drain-time-s", "-1"), "--drain-time-s: not a number"),
            (("--base-id", "4294967296"), "--base-id: not a number"),
            (("extra",), "unexpected argument 'extra'"),
        ):
            self.assertIn(text, self.refused(*arguments))

    def test_versions(self) -> None:
        """--version and --hot-restart-version print one line and end well."""
        for flag, text in (("--version", "Envoy 1.40.0"), ("--hot-restart-version", "disabled")):
            self.patch(sys, "stdout", io.StringIO())
            error = self.assertRaises(SystemExit, self.parse, flag)
            self.assertEqual(error.code, 0)
            self.assertIn(text, sys.stdout.getvalue())
