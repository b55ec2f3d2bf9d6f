"""
Previous priorities (`envoy.retry_priorities.previous_priorities`): retries choose hosts of other
priorities than the attempts before.
"""

from twisted_envoy.extensions.retry.priority.previous_priorities.config import (
    PreviousPrioritiesFactory,
)

factories = (PreviousPrioritiesFactory(),)
