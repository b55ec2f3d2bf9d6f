"""A bootstrap as a service of another application."""

from __future__ import annotations

from twisted.application.service import IService, MultiService
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.protocol import Factory
from twisted.trial.unittest import TestCase

import twisted_envoy
from tests.bootstraps import bootstrap, directResponse, listener
from tests.sockets.loopback import HalfRecorder
from twisted_envoy.errors import ConfigError
from twisted_envoy.server.options import ServerOptions

TEXT = bootstrap(
    [
        listener("socket", "127.0.0.1:0", directResponse("socket")),
        listener("hop", "internal:", directResponse("hop")),
    ]
)


class ServiceTests(TestCase):
    """`twisted_envoy.service(bootstrap, reactor)`."""

    async def said(self, where):
        factory = Factory.forProtocol(HalfRecorder)
        factory.noisy = False
        client = await clientFromString(reactor, where).connect(factory)
        await client.untilEvent("end")
        await client.gone()
        return bytes(client.data)

    async def test_inAnApplication(self):
        """It lives in a MultiService, and its hops are those of the application's reactor."""
        application = MultiService()
        made = twisted_envoy.service(TEXT, reactor)
        self.assertTrue(IService.providedBy(made))
        made.setServiceParent(application)
        application.privilegedStartService()
        application.startService()
        self.addCleanup(lambda: maybeDeferred(application.stopService))
        port = made.listeners.get("socket").address.port
        self.assertEqual(await self.said(f"tcp:127.0.0.1:{port}"), b"socket")
        self.assertEqual(await self.said("internal:hop"), b"hop")

    def test_file(self):
        """A path, of text or of os.PathLike."""
        path = self.mktemp()
        with open(path, "w") as file:
            file.write(TEXT)
        made = twisted_envoy.service(path, reactor, ServerOptions(drainTime=1.0))
        self.assertEqual(made.options.drainTime, 1.0)
        self.assertEqual(len(made.listeners), 2)

    def test_error(self):
        """What cannot be obeyed raises, with its place."""
        with self.assertRaises(ConfigError) as caught:
            twisted_envoy.service("static_resources:\n  nonsense: 1\n", reactor)
        self.assertEqual(caught.exception.position.line, 2)
        self.assertEqual(caught.exception.position.file, "<bootstrap>")
        with self.assertRaises(ConfigError):
            twisted_envoy.service(self.mktemp(), reactor)
