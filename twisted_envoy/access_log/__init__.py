"""
Access logs: files shared by all loggers, filters that pick records, loggers built from a config.

Follows Envoy's `config.accesslog.v3`.  `manager.AccessLogManager` owns the files,
`logger.buildAccessLogs` turns a repeated AccessLog field into loggers.
"""
