"""
What a compressor filter is told, in each direction.

Envoy: extensions.filters.http.compressor.v3.Compressor
"""

from __future__ import annotations

from collections.abc import Callable

from twisted_envoy.codec.headers import HeaderMap
from twisted_envoy.interfaces.compression import CompressorLibrary
from twisted_envoy.stats.bundle import fillBundle
from twisted_envoy.stats.metrics import Counter
from twisted_envoy.stats.scope import Scope
from twisted_envoy.values import dataclass


class DirectionStats:
    """`http.<stat_prefix>.compressor.<library>.<kind>.<direction>.*`"""

    compressed: Counter
    not_compressed: Counter
    total_uncompressed_bytes: Counter
    total_compressed_bytes: Counter
    content_length_too_small: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


class AcceptStats:
    """`http.<stat_prefix>.compressor.<library>.<kind>.*`"""

    no_accept_header: Counter
    header_identity: Counter
    header_compressor_used: Counter
    header_compressor_overshadowed: Counter
    header_wildcard: Counter
    header_not_valid: Counter
    not_compressed_etag: Counter

    def __init__(self, scope: Scope) -> None:
        fillBundle(self, scope)


@dataclass(frozen=True, slots=True)
class Direction:
    """
    What is the same for requests and responses.

    Attributes:
        isEnabled: asked for each message. least: bytes of a body worth the work.
        allowsType: of a content-type without its parameters.
    """

    isEnabled: Callable[[], bool]
    least: int
    allowsType: Callable[[bytes], bool]
    stats: DirectionStats

    def isLongEnough(self, headers: HeaderMap) -> bool:
        """By content-length; a body of unknown length is. Counted when it is not."""
        length = headers.get(b"content-length")
        if length is None or (length.isdigit() and int(length) >= self.least):
            return True
        self.stats.content_length_too_small.value += 1
        return False

    def isOfAllowedType(self, headers: HeaderMap) -> bool:
        """By content-type; a body without one is."""
        kind = headers.get(b"content-type")
        return kind is None or self.allowsType(bareType(kind))


@dataclass(frozen=True, slots=True)
class Settings:
    """
    One filter's config.

    Attributes:
        request: None when requests are left alone; requestStats: counted all the same.
        chooseFirst: this one, of those that a client likes as much.
        removesAcceptEncoding: from requests. refusesETag: leave responses with an etag alone.
        weakensETag: a strong one becomes a weak one, else it is removed.
        refusedStatuses: of responses that are left alone. tellsStatus: in a header.
    """

    library: CompressorLibrary
    request: Direction | None
    requestStats: DirectionStats
    response: Direction
    accept: AcceptStats
    chooseFirst: bool = False
    removesAcceptEncoding: bool = False
    refusesETag: bool = False
    weakensETag: bool = False
    refusedStatuses: frozenset[bytes] = frozenset()
    tellsStatus: bool = False

    def allowsETag(self, headers: HeaderMap) -> bool:
        """Whether the etag that a response may have is no obstacle."""
        return not self.refusesETag or b"etag" not in headers


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """What a route says; None for nothing."""

    compressesResponses: bool | None = None
    removesAcceptEncoding: bool | None = None
    library: CompressorLibrary | None = None


def bareType(value: bytes) -> bytes:
    """A content-type without its parameters."""
    return value.partition(b";")[0].strip()
