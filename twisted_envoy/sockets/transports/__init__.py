"""
Twisted's own transports behind the same seam: where no socket of ours can live.

`endpoints.TransportSockets` is the ISocketInterface; `stream.TransportStream` gives a transport of
any reactor the verbs of `internal.IHalfCloseTransport`.
"""
