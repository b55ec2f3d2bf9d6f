"""
`--concurrency N`: N processes that accept on the same addresses, and one that looks after them.

The first process builds the server, binds every address and answers the admin interface; it
accepts no connection itself. Each worker is a fresh interpreter that builds the same server of the
same text and inherits sockets that listen already. They talk in JSON over a socket pair.
"""
