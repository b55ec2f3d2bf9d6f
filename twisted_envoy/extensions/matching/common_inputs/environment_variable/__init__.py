"""A variable of the environment, as it was at the start, for matcher trees."""

from twisted_envoy.extensions.matching.common_inputs.environment_variable.config import (
    EnvironmentVariableInputFactory,
)

factories = (EnvironmentVariableInputFactory(),)
"""The factory of this input."""
