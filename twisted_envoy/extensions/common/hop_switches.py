"""What hops do more than Envoy's: the switches of a bootstrap's `layered_runtime`."""

from __future__ import annotations

from typing import Any

from twisted_envoy.state.passthrough import ALL_OFF, HopSwitches

_TELLS_BACK = "twisted_envoy.internal.tell_back"
_LENDS = "twisted_envoy.internal.metadata_to_requests"
_PASSES = "twisted_envoy.internal.pass_dynamic_metadata"


def readHopSwitches(runtime: Any) -> HopSwitches:
    """The switches as they are at start-up; ALL_OFF itself when none is on."""
    switches = HopSwitches(
        tellsBack=runtime.boolean(_TELLS_BACK, False),
        lendsMetadata=runtime.boolean(_LENDS, False),
        passesMetadata=runtime.boolean(_PASSES, False),
    )
    return ALL_OFF if switches == ALL_OFF else switches
