"""Wire formats: bytes to objects and back, without transports."""
