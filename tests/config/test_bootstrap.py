"""Tests of twisted_envoy.config.bootstrap."""

import os

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.errors import ConfigError


class LoadTests(SynchronousTestCase):
    """Reading, merging, checking."""

    def write(self, text: str, name: str = "envoy.yaml") -> str:
        path = os.path.join(self.mktemp(), name)
        os.makedirs(os.path.dirname(path))
        with open(path, "w") as stream:
            stream.write(text)
        return path

    def test_empty(self) -> None:
        """`{}` is a bootstrap."""
        view, warnings = loadBootstrap(yamlText="{}")
        self.assertEqual(warnings, [])
        self.assertIsNone(view.node)

    def test_nothing(self) -> None:
        """No config at all is Envoy's error."""
        error = self.assertRaises(ConfigError, loadBootstrap, ["", ""])
        self.assertTrue(str(error).startswith("At least one of --config-path or --config-yaml"))

    def test_fileAndText(self) -> None:
        """`--config-yaml` is merged into the file."""
        path = self.write("node: {id: a, cluster: b}\nstatic_resources: {clusters: [{name: x}]}")
        text = "node: {id: c}\nstatic_resources: {clusters: [{name: z}]}"
        view, _ = loadBootstrap([path], text)
        self.assertEqual((view.node.id, view.node.cluster), ("c", "b"))
        self.assertEqual([one.name for one in view.static_resources.clusters], ["x", "z"])

    def test_errorsNameTheirText(self) -> None:
        """The file, or the option, that a value came from is in its error."""
        path = self.write("static_resources: {clusters: [{name: x}]}")
        error = self.assertRaises(ConfigError, loadBootstrap, [path], "node:\n  id: 5")
        self.assertTrue(str(error).startswith("--config-yaml:2:7: node.id: Unable to parse"))
        text = "static_resources: {clusters: [{name: ''}]}"
        error = self.assertRaises(ConfigError, loadBootstrap, [path], text)
        self.assertTrue(
            str(error).startswith("--config-yaml:1:32: static_resources.clusters[1].name: Proto")
        )
        path = self.write("static_resources: {clusters: [{}]}")
        error = self.assertRaises(ConfigError, loadBootstrap, [path], "node: {}")
        self.assertTrue(str(error).startswith(f"{path}:1:31: static_resources.clusters[0].name"))

    def test_firstErrorFirst(self) -> None:
        """The file is decoded before the text is looked at."""
        path = self.write("foo: 1")
        error = self.assertRaises(ConfigError, loadBootstrap, [path], "[")
        self.assertIn("no such field: 'foo'", str(error))

    def test_durationsAndDeprecationsOfBoth(self) -> None:
        """What is checked after the merge comes from both texts."""
        path = self.write("static_resources: {clusters: [{name: a, http2_protocol_options: {}}]}")
        text = "layered_runtime: {layers: [{name: a, admin_layer: {}}]}\n"
        text += "static_resources: {clusters: [{name: b, cleanup_interval: -1s}]}"
        error = self.assertRaises(ConfigError, loadBootstrap, [path], text)
        self.assertIn("Invalid duration", str(error))
        _, warnings = loadBootstrap([path], "node: {id: a}")
        self.assertEqual(len(warnings), 1)

    def test_json(self) -> None:
        """A JSON file that is no object shows what it is."""
        path = self.write("5", "envoy.json")
        error = self.assertRaises(ConfigError, loadBootstrap, [path])
        self.assertTrue(str(error).endswith("unexpected character: '5'; expected '{'): 5"))
        view, _ = loadBootstrap([self.write('{"node": {"id": "a"}}', "envoy.json")])
        self.assertEqual(view.node.id, "a")
