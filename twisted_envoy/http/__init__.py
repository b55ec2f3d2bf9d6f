"""HTTP between the codecs and the filters: connections, streams, filter chains, routes."""
