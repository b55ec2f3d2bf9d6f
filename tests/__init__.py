"""
The tests of twisted_envoy.

How long an example takes to make says how busy a machine is, so hypothesis does not judge it.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

if "reference_codec=true" in os.environ.get("TWISTED_ENVOY_RUNTIME", ""):
    from tests.switches import useReferenceCodec

    useReferenceCodec()
