"""The factory of environment_variable."""

from __future__ import annotations

import os
from typing import Any

from zope.interface import implementer

from twisted_envoy.interfaces.extensions import IExtensionFactory
from twisted_envoy.network.matching.inputs import HTTP, NETWORK, Input


@implementer(IExtensionFactory)
class EnvironmentVariableInputFactory:
    """Reads the variable once."""

    typeURL = "envoy.extensions.matching.common_inputs.environment_variable.v3.Config"
    category = (NETWORK, HTTP)

    def build(self, config: Any, context: Any) -> Input:
        value = os.environ.get(config.name)
        return lambda info: value
