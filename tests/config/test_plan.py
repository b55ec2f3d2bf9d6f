"""Tests of twisted_envoy.config.plan."""

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.config.bootstrap import envoyPlans
from twisted_envoy.config.fields import LIST, MAP, SINGLE


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

    def test_oldValues(self) -> None:
        """Deprecated enum values are known, and whether they are refused."""
        plan = envoyPlans().find("envoy.config.core.v3.ApiConfigSource")
        assert plan is not None
        self.assertEqual(
            plan.oldValues, {"api_type": {0: True}, "transport_api_version": {1: False}}
        )
