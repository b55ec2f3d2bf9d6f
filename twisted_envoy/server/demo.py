"""What runs when no configuration is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twisted_envoy.server.options import ServerOptions

DEMO = Path(__file__).with_name("demo.yaml")

NEWS = """\
No configuration was given (-c FILE): this is the built-in demo, on loopback only.

    curl 127.0.0.1:10000                    Hello, world! through an HTTP/2 CONNECT
    curl '127.0.0.1:9901/stats?usedonly'    what that took; 127.0.0.1:9901 has all admin pages

  127.0.0.1:10000 -> internal listener encap -> HTTP/2 CONNECT
  -> 127.0.0.1:10001 -> internal listener decap -> direct response
"""


def builtinDemo(options: ServerOptions) -> ServerOptions:
    """
    The same options with the demo's bootstrap.

    Envoy's two examples, encapsulating HTTP in a CONNECT and terminating it, in one process.
    """
    return replace(options, configPath=str(DEMO))


def tellOfDemo() -> None:
    """Say on stdout what to try; for when the ports are bound."""
    print(NEWS, flush=True)
