"""
Processors (`envoy.resource_monitors.cpu_utilization`): how busy those of the host are. Linux only.

Not supported: `mode: CONTAINER`.
"""

from twisted_envoy.extensions.resource_monitors.cpu_utilization.config import CPUUtilizationFactory

factories = (CPUUtilizationFactory(),)
