"""
What matcher trees see of a connection: addresses, ports, SNI, protocols, filter state, metadata.

The network namespace is never known here: NetworkNamespaceInput sees nothing.
"""

from twisted_envoy.extensions.matching.common_inputs.network.connection import CONNECTION_INPUTS
from twisted_envoy.extensions.matching.common_inputs.network.state import (
    DynamicMetadataInputFactory,
    FilterStateInputFactory,
)

factories = (*CONNECTION_INPUTS, FilterStateInputFactory(), DynamicMetadataInputFactory())
"""The factories of these inputs."""
