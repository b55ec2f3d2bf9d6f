"""File access log (`envoy.access_loggers.file`): one line a record, appended to a file."""

from twisted_envoy.extensions.access_loggers.file.config import FileAccessLogFactory

factories = (FileAccessLogFactory(),)
