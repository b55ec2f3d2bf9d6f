"""The bootstrap extension for internal listeners."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bootstraps import INTERNAL, bootstrap, echo, listener
from tests.extensions.support import Context, configOf, unreadFields
from twisted_envoy.errors import ConfigError
from twisted_envoy.extensions.bootstrap.internal_listener import factories
from twisted_envoy.internal import Registry, getRegistry
from twisted_envoy.testing import MemoryEnvoy


class InternalListenerTests(SynchronousTestCase):
    """How much a hop buffers."""

    def built(self, validating=False, **fields):
        (factory,) = factories
        config = configOf(factory.typeURL, fields)
        context = Context()
        context.validating = validating
        context.registry = Registry(context.reactor, 2048)
        self.assertEqual(factory.build(config, context), factory.typeURL)
        self.assertEqual(unreadFields(config), [])
        return context.registry.bufferSize

    def test_size(self):
        """In KiB; 1 MiB when nothing is said."""
        self.assertEqual(self.built(), 1024 * 1024)
        for size in (1, 64, 8192):
            self.assertEqual(self.built(buffer_size_kb=size), size * 1024)

    def test_validating(self):
        """Who only validates changes nothing in the process."""
        self.assertEqual(self.built(True, buffer_size_kb=64), 2048)

    def test_bounds(self):
        """1 to 8192, as Envoy's rule says."""
        for size in (0, 8193):
            extension = {
                **INTERNAL,
                "typed_config": {**INTERNAL["typed_config"], "buffer_size_kb": size},
            }
            text = bootstrap([], bootstrap_extensions=[extension])
            with self.assertRaisesRegex(ConfigError, "BufferSizeKb"):
                MemoryEnvoy(text)

    def test_applies(self):
        """A hop's transports have that buffer."""
        extension = {**INTERNAL, "typed_config": {**INTERNAL["typed_config"], "buffer_size_kb": 2}}
        envoy = MemoryEnvoy(
            bootstrap([listener("hop", "internal:", echo())], bootstrap_extensions=[extension])
        )
        self.assertEqual(getRegistry(envoy.clock).bufferSize, 2048)
        client = envoy.connect("hop")
        paused = []

        class Producer:
            def pauseProducing(self):
                paused.append(True)

        client.transport.registerProducer(Producer(), True)
        client.write(b"x" * 2048)
        self.assertEqual(paused, [])
        client.write(b"x")
        self.assertEqual(paused, [True])
