"""What the HTTP connection manager does to the headers of requests and responses."""

from twisted_envoy.http.edge.edge import Edge, EdgeFacts
from twisted_envoy.http.edge.refusal import Refusal

__all__ = ["Edge", "EdgeFacts", "Refusal"]
