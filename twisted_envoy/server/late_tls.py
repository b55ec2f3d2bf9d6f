"""
Twisted's reactor without pyOpenSSL, until somebody asks the reactor for TLS.

Transports of Twisted know `startTLS`, its reactors `listenSSL` and `connectSSL`; so whoever imports
a reactor imports pyOpenSSL and cryptography, for a third of the time of a start and 13 MiB. All
that these methods need of it is one factory, which can as well be imported when it is called.
Transport sockets of ours import what they need when they are built.
"""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType

_TLS = "twisted.protocols.tls"
_SSL = "twisted.internet.ssl"
_FACTORY = "TLSMemoryBIOFactory"
"""All that they want of the first; of the second, that it is there."""

_USERS = ("twisted.internet._newtls", "twisted.internet.posixbase")
"""Who imports these two before a reactor is there; the second imports all transports."""


def deferTLS() -> None:
    """
    Import Twisted's transports without pyOpenSSL, unless some of it has been imported already.

    Whoever imports Twisted's TLS itself gets all of it. A Twisted whose transports want more of
    TLS when they are imported gets it.
    """
    if find_spec("OpenSSL") is None or not {_TLS, _SSL, *_USERS}.isdisjoint(sys.modules):
        return
    sys.modules[_TLS] = ModuleType(_TLS)
    sys.modules[_SSL] = ModuleType(_SSL)
    setattr(sys.modules[_TLS], _FACTORY, _makeFactory)
    try:
        for name in _USERS:
            importlib.import_module(name)
    except (ImportError, AttributeError):
        pass  # the reactor imports it again
    finally:
        del sys.modules[_TLS], sys.modules[_SSL]


def _makeFactory(*arguments: object) -> object:
    """A TLSMemoryBIOFactory of Twisted's."""
    from twisted.protocols.tls import TLSMemoryBIOFactory

    return TLSMemoryBIOFactory(*arguments)  # type: ignore[arg-type]
