"""
Health check events in a file (`envoy.health_check.event_sinks.file`), one line of JSON each.
"""

from twisted_envoy.extensions.health_check.event_sinks.file.config import FileSinkFactory

factories = (FileSinkFactory(),)
