"""The factory of the monitor of processors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from twisted_envoy.extensions.resource_monitors.cpu_utilization.monitor import CPUUtilization
from twisted_envoy.interfaces.extensions import IExtensionFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


@implementer(IExtensionFactory)
class CPUUtilizationFactory:
    """Builds CPUUtilization."""

    typeURL = "envoy.extensions.resource_monitors.cpu_utilization.v3.CpuUtilizationConfig"
    category = "resource_monitors"

    def build(self, config: View, context: Any) -> CPUUtilization:
        message: Any = config.message
        if message.mode == 0:
            config.moot("mode", "the host is what is looked at")
        return CPUUtilization()
