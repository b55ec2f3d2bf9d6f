"""
What the environment wants the tests to run on: see CONTRIBUTING, Set up.

Programs and bootstraps read the runtime keys themselves; this is for tests that make sockets and
codecs without a bootstrap.
"""

from __future__ import annotations

from twisted_envoy.server.runtime import environmentValues
from twisted_envoy.sockets.choosing import SWITCH

TRANSPORTS = environmentValues().get(SWITCH) is True
"""Kernel sockets are Twisted's transports."""

REFERENCE_CODEC = environmentValues().get("twisted_envoy.http2.reference_codec") is True
"""HTTP/2 has the core of the h2 library."""


def useReferenceCodec() -> None:
    """Codecs that a test makes by hand have that core, too."""
    from twisted_envoy.codec.h2 import codec
    from twisted_envoy.codec.h2.library import LibraryCore

    codec.LeanCore = lambda client, settings, limits, *_: LibraryCore(  # type: ignore[assignment, misc]
        client, settings, limits
    )
