"""Our sockets in any Twisted application: the strings, and the program of docs/sockets.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.address import UNIXAddress
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.interfaces import (
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpointStringParser,
)
from twisted.internet.task import Clock
from twisted.plugin import IPlugin
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.internal.support import runPython
from tests.sockets.loopback import Accepting, HalfRecorder, LoopbackTestCase
from twisted_envoy.endpoints import SocketClientParser, SocketServerParser, socketsOf

ROOT = Path(__file__).resolve().parent.parent


class StringTests(LoopbackTestCase):
    """`sockets:` under the reactor of the tests."""

    async def exchange(self, server: str, client: str) -> HalfRecorder:
        """A word each way; the accepted recorder."""
        accepting = Accepting()
        port = await serverFromString(reactor, server).listen(accepting)
        self.addCleanup(port.stopListening)
        accepted = accepting.next()
        host = port.getHost()
        text = client.format(port=getattr(host, "port", ""))
        made = HalfRecorder()
        factory = Accepting(lambda: made)  # type: ignore[arg-type]
        await clientFromString(reactor, text).connect(factory)
        other: HalfRecorder = await accepted
        made.transport.write(b"question")
        await other.untilSize(8)
        other.transport.write(b"answer")
        await made.untilSize(6)
        await made.gone()
        await other.gone()
        return other

    async def test_tcp(self) -> None:
        """IPv4 and IPv6, with what there is to say."""
        for server, client in (
            ("sockets:0:interface=127.0.0.1", "sockets:host=127.0.0.1:port={port}"),
            ("sockets:port=0:backlog=7", "sockets:127.0.0.1:{port}"),
            (r"sockets:0:interface=\:\:1", r"sockets:host=\:\:1:port={port}"),
        ):
            await self.exchange(server, client)

    async def test_unix(self) -> None:
        """A path."""
        path = Path(self.mktemp()).absolute()
        text = f"sockets:unix={path}"
        server = await self.exchange(text, text)
        self.assertEqual(server.transport.getHost(), UNIXAddress(str(path)))

    def test_oneSetForAReactor(self) -> None:
        """All strings of a reactor share it."""
        self.assertIs(socketsOf(reactor), socketsOf(reactor))
        self.assertIsNot(socketsOf(reactor), socketsOf(Clock()))


class RefusalTests(SynchronousTestCase):
    """What is not a socket is said so."""

    def test_servers(self) -> None:
        """Each with what to write instead, or what is wrong."""
        for text, words in (
            ("", "must be a number"),
            ("interface=127.0.0.1", "needs a port or a path"),
            ("80:90", "'90' is too much"),
            ("80:port=90", "unknown or second argument 'port'"),
            ("80:colour=red", "unknown or second argument 'colour'"),
            ("http", "must be a number up to 65535, not 'http'"),
            ("65536", "must be a number up to 65535, not '65536'"),
            ("80:backlog=x", "the backlog of a socket"),
            ("80:interface=localhost", "'localhost' is not an IP address"),
            ("unix=", "a path and nothing else"),
            ("80:unix=/a", "a path and nothing else"),
        ):
            problem = self.assertRaises(ValueError, serverFromString, Clock(), f"sockets:{text}")
            self.assertIn(words, str(problem), text)

    def test_clients(self) -> None:
        """The same."""
        for text, words in (
            ("port=80", "needs an address to connect to"),
            ("host=a.example:port=80", "'a.example' is not an IP address"),
            ("127.0.0.1", "needs a port or a path"),
            ("127.0.0.1:80:90", "'90' is too much"),
            ("127.0.0.1:80:unix=/a", "a path and nothing else"),
        ):
            problem = self.assertRaises(ValueError, clientFromString, Clock(), f"sockets:{text}")
            self.assertIn(words, str(problem), text)


class PluginTests(SynchronousTestCase):
    """What Twisted finds."""

    def test_interfaces(self) -> None:
        """The parsers are plugins of both kinds."""
        for parser, interface in (
            (SocketServerParser(), IStreamServerEndpointStringParser),
            (SocketClientParser(), IStreamClientEndpointStringParserWithReactor),
        ):
            self.assertTrue(verifyObject(interface, parser))
            self.assertTrue(IPlugin.providedBy(parser))
            self.assertEqual(parser.prefix, "sockets")

    def test_importsLittle(self) -> None:
        """Looking for plugins imports no reactor and none of our sockets."""
        code = (
            "import sys, twisted.plugins.twisted_envoy_sockets\n"
            "assert 'twisted.internet.reactor' not in sys.modules\n"
            "print([name for name in sys.modules if name.startswith('twisted_envoy.')])\n"
        )
        self.assertEqual(runPython(code), "['twisted_envoy.endpoints']\n")


class PageTests(SynchronousTestCase):
    """docs/sockets.md."""

    def test_program(self) -> None:
        """The whole program runs under each reactor."""
        text = (ROOT / "docs" / "sockets.md").read_text("utf-8")
        program = re.findall(r"```python\n(.*?)```", text, re.S)[0]
        running = []
        for kind in ("epoll", "poll", "select", "asyncio"):
            first = f"from twisted.internet import {kind}reactor\n{kind}reactor.install()\n"
            running.append(
                subprocess.Popen(
                    [sys.executable, "-c", first + program],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        found = [one.communicate(timeout=60)[0] for one in running]

        self.assertEqual(found, ["hello world\n"] * 4)
