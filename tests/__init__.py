"""The tests of twisted_envoy."""

import os

if "reference_codec=true" in os.environ.get("TWISTED_ENVOY_RUNTIME", ""):
    from tests.switches import useReferenceCodec

    useReferenceCodec()
