"""What matcher trees see of a request and its response."""

from twisted_envoy.extensions.type.matcher.headers import HEADER_INPUTS
from twisted_envoy.extensions.type.matcher.query import QueryInputFactory
from twisted_envoy.extensions.type.matcher.status import StatusClassInputFactory, StatusInputFactory

factories = (*HEADER_INPUTS, QueryInputFactory(), StatusInputFactory(), StatusClassInputFactory())
"""The factories of these inputs."""
