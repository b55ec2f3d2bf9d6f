"""Tests for twisted_envoy.http.retry_conditions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from twisted_envoy.http.retry_conditions import (
    ALL_CONDITIONS,
    ANY_GRPC,
    GRPC_CANCELLED,
    GRPC_CONDITIONS,
    HTTP_CONDITIONS,
    RESET,
    RETRY_5XX,
    conditionsOf,
    listed,
)


class ConditionTests(SynchronousTestCase):
    """Names become bits."""

    def test_everyConditionHasABitOfItsOwn(self):
        bits = list(ALL_CONDITIONS.values())

        self.assertEqual(len(set(bits)), len(bits))
        self.assertEqual(len(bits), len(HTTP_CONDITIONS) + len(GRPC_CONDITIONS))
        self.assertTrue(all(bit & (bit - 1) == 0 for bit in bits))

    def test_unknownNamesAreIgnored(self):
        found = conditionsOf(listed(b"5xx, reset,no-such"), HTTP_CONDITIONS)

        self.assertEqual(found, RETRY_5XX | RESET)

    def test_grpcIsSeparate(self):
        self.assertEqual(conditionsOf(["cancelled"], HTTP_CONDITIONS), 0)
        self.assertEqual(conditionsOf(["cancelled"], GRPC_CONDITIONS), GRPC_CANCELLED)
        self.assertTrue(ANY_GRPC & GRPC_CANCELLED)
