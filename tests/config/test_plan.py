"""Tests of twisted_envoy.config.plan."""

from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import outcome
from twisted_envoy.config.bootstrap import envoyPlans
from twisted_envoy.config.plan import LIST, MAP, SINGLE, isRepeated, kindOf


class PlanTests(SynchronousTestCase):
    """What is worked out once per message type."""

    def test_forms(self) -> None:
        """Lists, maps and single fields; each under all its spellings."""
        plan = envoyPlans().find("envoy.config.cluster.v3.Cluster")
        assert plan is not None
        self.assertEqual(plan.fields["health_checks"].form, LIST)
        self.assertEqual(plan.fields["typed_extension_protocol_options"].form, MAP)
        self.assertEqual(plan.fields["name"].form, SINGLE)
        self.assertIs(plan.fields["altStatName"], plan.fields["alt_stat_name"])
        self.assertEqual(len(plan.uniqueFields()), len(plan.descriptor.fields))

    def test_oneOfEach(self) -> None:
        """The same plan is given out again; unknown names have none."""
        plans = envoyPlans()
        self.assertIs(
            plans.find("envoy.config.core.v3.Node"), plans.find("x/envoy.config.core.v3.Node")
        )
        self.assertIsNone(plans.find("acme.Nothing"))

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
