"""Tests of twisted_envoy.config.fields."""

from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import decode, outcome
from twisted_envoy.config.fields import isRepeated, kindOf


class FieldTests(SynchronousTestCase):
    """Decoding one field."""

    def test_kinds(self) -> None:
        """Well-known types have a JSON form of their own."""
        self.assertEqual(kindOf("google.protobuf.UInt32Value"), "wrapper")
        self.assertEqual(kindOf("google.protobuf.Any"), "any")
        self.assertEqual(kindOf("envoy.config.core.v3.Node"), "message")

    def test_olderProtobuf(self) -> None:
        """Before `is_repeated` there was `label`."""

        class Old:
            LABEL_REPEATED = 3

            def __init__(self, label: int) -> None:
                self.label = label

        self.assertTrue(isRepeated(Old(3)))  # type: ignore[arg-type]
        self.assertFalse(isRepeated(Old(1)))  # type: ignore[arg-type]

    def test_pathsOfListsAndMaps(self) -> None:
        """An element's index is named, and only when there is a list."""
        for text, path in (
            ("node: {client_features: [a, 5]}", "node.client_features[1]: string"),
            ("node: {client_features: 5}", "node.client_features: string"),
            ("node: {extensions: [{}, 5]}", "node.extensions[1]: message"),
            ("node: {dynamic_parameters: {a: 5}}", "node.dynamic_parameters[0]: message"),
        ):
            self.assertIn(path, outcome(text))

    def test_mapsOfScalars(self) -> None:
        """A map's values may be null, and its keys given twice only in YAML."""
        record = decode("params: {a: null, b: c}", "xds.core.v3.ContextParams")
        self.assertEqual(dict(record.message.params), {"a": "", "b": "c"})
        found = outcome('{"node": {"dynamic_parameters": {"a": {}, "a": {}}}}', isJSON=True)
        self.assertIn("@ node.dynamic_parameters[1]: message ", found)
        self.assertIn("got unexpectedly-repeated repeated map key: 'a'", found)

    def test_sameFieldTwice(self) -> None:
        """Both spellings of one name add up for lists and maps, and overwrite scalars."""
        node = decode("{clientFeatures: [a], client_features: [b]}", "envoy.config.core.v3.Node")
        self.assertEqual(list(node.message.client_features), ["a", "b"])
        text = "{dynamicParameters: {a: {}}, dynamic_parameters: {b: {}}}"
        node = decode(text, "envoy.config.core.v3.Node")
        self.assertEqual(sorted(node.entries["dynamic_parameters"][2]), ["a", "b"])
