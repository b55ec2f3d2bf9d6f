"""
Tests for twisted_envoy.internal.parsers and the plugin that offers them.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.endpoints import (
    clientFromString,
    quoteStringArgument,
    serverFromString,
)
from twisted.internet.interfaces import (
    IReactorCore,
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpointStringParser,
)
from twisted.internet.task import Clock
from twisted.plugin import IPlugin
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.internal.support import Push, Recorder, Single, runPython
from twisted_envoy.internal import InternalAddress, getRegistry
from twisted_envoy.internal.parsers import InternalClientParser, InternalServerParser


class StringTests(SynchronousTestCase):
    """serverFromString and clientFromString."""

    def setUp(self) -> None:
        self.clock = Clock()

    def server(self, text: str) -> Recorder:
        protocol = Recorder()
        endpoint = serverFromString(self.clock, text)  # type: ignore[arg-type]
        self.successResultOf(endpoint.listen(Single(protocol)))
        return protocol

    def client(self, text: str) -> Recorder:
        protocol = Recorder()
        connected = clientFromString(self.clock, text).connect(Single(protocol))
        getRegistry(self.clock).turn.pump(self.clock)
        self.successResultOf(connected)
        return protocol

    def test_name(self) -> None:
        """The plain strings meet in the reactor's registry."""
        server = self.server("internal:a")
        client = self.client("internal:a")
        self.assertEqual(server.transport.getHost(), InternalAddress("a"))
        self.assertEqual(client.transport.getPeer(), InternalAddress("a"))

    def test_keywords(self) -> None:
        """The arguments can be given by keyword."""
        server = self.server("internal:name=a:bufferSize=1024")
        client = self.client("internal:name=a:endpoint_id=ep1")
        self.assertEqual(server.transport.getHost(), InternalAddress("a", "ep1"))
        push = Push()
        client.transport.registerProducer(push, True)
        client.transport.write(b"x" * 1025)
        self.assertEqual(push.calls, ["pause"])

    @given(st.text(min_size=1), st.text())
    def test_anyName(self, name: str, endpointID: str) -> None:
        """Any quoted text is a name or an endpoint id."""
        self.clock = Clock()
        self.server(f"internal:{quoteStringArgument(name).replace('=', chr(92) + '=')}")
        client = self.client(
            f"internal:name={quoteStringArgument(name)}"
            f":endpoint_id={quoteStringArgument(endpointID)}"
        )
        self.assertEqual(client.transport.getPeer(), InternalAddress(name, endpointID))

    def test_errors(self) -> None:
        """What is missing, double, unknown or no number is a ValueError that says what to write."""
        for parse in (serverFromString, clientFromString):
            for text in (
                "internal",
                "internal:",
                "internal:name=",
                "internal:a:b",
                "internal:a:name=b",
                "internal:a:port=3",
            ):
                error = self.assertRaises(ValueError, parse, self.clock, text)
                self.assertIn("write internal:NAME", str(error))
        error = self.assertRaises(
            ValueError, serverFromString, self.clock, "internal:a:endpoint_id=x"
        )
        self.assertIn("unknown argument 'endpoint_id'", str(error))
        error = self.assertRaises(
            ValueError, serverFromString, self.clock, "internal:a:bufferSize=1k"
        )
        self.assertIn("'1k'", str(error))

    def test_bufferSizeOutOfRange(self) -> None:
        """A size that is out of range fails the listening."""
        endpoint = serverFromString(self.clock, "internal:a:bufferSize=1")  # type: ignore[arg-type]
        self.failureResultOf(endpoint.listen(Single(None)), ValueError)


class PluginTests(SynchronousTestCase):
    """The plugin module."""

    def test_interfaces(self) -> None:
        """The parsers provide Twisted's interfaces under the prefix `internal`."""
        for parser, interface in (
            (InternalServerParser(), IStreamServerEndpointStringParser),
            (InternalClientParser(), IStreamClientEndpointStringParserWithReactor),
        ):
            self.assertTrue(verifyObject(interface, parser))
            self.assertTrue(IPlugin.providedBy(parser))
            self.assertEqual(parser.prefix, "internal")

    def test_importsLittle(self) -> None:
        """Importing the plugin imports no reactor and nothing else of twisted_envoy."""
        code = (
            "import sys, twisted.plugins.twisted_envoy_internal\n"
            "assert 'twisted.internet.reactor' not in sys.modules\n"
            "print([name for name in sys.modules if name.startswith('twisted_envoy.')"
            " and not name.startswith('twisted_envoy.internal')])\n"
        )
        self.assertEqual(runPython(code), "[]\n")

    def test_reactorType(self) -> None:
        """Any reactor will do: nothing of IReactorCore is asked for."""
        self.assertFalse(IReactorCore.providedBy(Clock()))
        self.assertIsNotNone(InternalClientParser().parseStreamClient(Clock(), "a"))  # type: ignore[arg-type]
