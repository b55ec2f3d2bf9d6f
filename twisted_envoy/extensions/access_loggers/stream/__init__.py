"""Stream access logs (`envoy.access_loggers.stdout`, `.stderr`): to the process's own streams."""

from twisted_envoy.extensions.access_loggers.stream.config import StreamAccessLogFactory

factories = (
    StreamAccessLogFactory("StdoutAccessLog", "/dev/stdout"),
    StreamAccessLogFactory("StderrAccessLog", "/dev/stderr"),
)
