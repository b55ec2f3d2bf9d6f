"""
Envoy's configuration and behaviour, alive inside a Twisted process.

The package is imported by `twistd` and by applications; importing it costs nothing: everything
else is imported where it is used.
"""

__version__ = "0.1.0.dev0"
