"""The wrapper's factory: names, arguments, reactors."""

from __future__ import annotations

from twisted.internet.protocol import Protocol
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.support import Connections, Context, configOf, unreadFields
from twisted_envoy.config.bootstrap import envoyPlans
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.filters.network.echo.filter import Echo
from twisted_envoy.extensions.filters.network.twisted_wrapper import factories
from twisted_envoy.interfaces.network import INetworkFilterFactory


class WantsReactor(WrappingFactory):
    """A factory that takes a reactor, and starts something."""

    made: list = []

    def __init__(self, wrappedFactory, reactor, size=1):
        super().__init__(wrappedFactory)
        self.reactor = reactor
        self.size = size
        self.started = False
        self.made.append(self)

    def startFactory(self):
        self.started = True


class Unwrapping(Protocol):
    """Is no wrapping factory."""


class FactoryTests(SynchronousTestCase):
    def setUp(self):
        (self.factory,) = factories
        envoyPlans().schema.addDescriptors(self.factory.descriptors)
        self.context = Context()
        WantsReactor.made.clear()

    def build(self, factory, **arguments):
        content = {"factory": factory, "arguments": arguments}
        self.config = configOf(self.factory.typeURL, content)
        return self.factory.build(self.config, self.context)

    def refusal(self, factory, **arguments):
        with self.assertRaises(ConfigError) as caught:
            self.build(factory, **arguments)
        self.assertIsNotNone(caught.exception.position)
        return caught.exception.problem

    def test_isNotTerminal(self):
        """Something must come after it."""
        self.assertFalse(self.factory.terminal)
        self.assertEqual(self.factory.category, "filters.network")
        self.assertTrue(INetworkFilterFactory.providedBy(self.factory))

    def test_aStockFactory(self):
        """Waits on the server's clock."""
        make = self.build("twisted.protocols.policies.TimeoutFactory", timeoutPeriod=30)
        connections = Connections([make, Echo], self.context.reactor)
        client = connections.connect()

        self.context.reactor.advance(29)
        connections.settle()
        self.assertFalse(client.ended or client.lost)
        self.context.reactor.advance(2)
        connections.settle()

        self.assertTrue(client.ended or client.lost)
        self.assertEqual(unreadFields(self.config), [])

    def test_oneFactoryForAllConnections(self):
        """Each connection gets a protocol of it."""
        make = self.build(f"{__name__}.WantsReactor")
        connections = Connections([make, Echo])
        connections.connect(), connections.connect()

        (factory,) = WantsReactor.made
        self.assertEqual(len(factory.protocols), 2)
        self.assertTrue(all(isinstance(each, ProtocolWrapper) for each in factory.protocols))

    def test_reactor(self):
        """Is given where one is taken; other arguments as configured."""
        self.build(f"{__name__}.WantsReactor", size=5)

        (factory,) = WantsReactor.made
        self.assertIs(factory.reactor, self.context.reactor)
        self.assertEqual((factory.size, factory.started), (5, True))

    def test_numbers(self):
        """Broken ones too, which are texts to Envoy's YAML; other texts are left alone."""
        for given, wanted in (("0.5", 0.5), (5, 5), ("-.5", -0.5), ("5", "5"), ("1.2.3", "1.2.3")):
            self.build(f"{__name__}.WantsReactor", size=given)
            self.assertEqual(WantsReactor.made[-1].size, wanted)
            self.assertIs(type(WantsReactor.made[-1].size), type(wanted))

    def test_validating(self):
        """Nothing is started."""
        self.context.validating = True
        self.build(f"{__name__}.WantsReactor")
        self.assertFalse(WantsReactor.made[0].started)

    def test_withoutArguments(self):
        """They may be left out."""
        name = "twisted.protocols.policies.TimeoutFactory"
        config = configOf(self.factory.typeURL, {"factory": name})
        self.assertTrue(callable(self.factory.build(config, self.context)))

    def test_refused(self):
        """One line each, at the field."""
        self.assertIn("cannot import 'no.such.Thing'", self.refusal("no.such.Thing"))
        self.assertIn("cannot import ''", self.refusal(""))
        text = "is not a subclass of twisted.protocols.policies.WrappingFactory"
        self.assertIn(text, self.refusal(f"{__name__}.Unwrapping"))
        self.assertIn(text, self.refusal("os.path"))
        name = "twisted.protocols.policies.TimeoutFactory"
        text = self.refusal(name, nope=1)
        self.assertIn("unexpected keyword", text)
        self.assertIn("(known arguments: timeoutPeriod)", text)
