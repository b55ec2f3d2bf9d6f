"""
`x-request-id` as a random UUID.

Envoy: extensions.request_id.uuid.v3.UuidRequestIdConfig
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted_envoy.codec.headers import HeaderMap

REQUEST_ID = b"x-request-id"
_BLOCK = 256
_UUID_LENGTH = 36
_REASON_AT = 14
_NOT_TRACED = b"4"
_VARIANTS = bytes.maketrans(b"0123456789abcdef", b"89ab" * 4)
_PATTERN = b"xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx" * _BLOCK
_VARIANT_AT = 19
_PLACES = tuple(
    zip(
        (at for at in range(_UUID_LENGTH) if _PATTERN[at] == 0x78),
        (at for at in range(32) if at not in (12, 16)),
        strict=True,
    )
)
"""(where in the text, which digit), of all but those of version and variant."""


def makesUUIDs(ids: Any) -> bool:
    """Whether all that it makes is the text of a UUID."""
    return type(ids) is UUIDRequestID


def withID(headers: HeaderMap, value: bytes) -> HeaderMap:
    """A copy of a request's headers with this id; where it is b"" they themselves."""
    if not value:
        return headers
    copy = headers.copy()
    copy[REQUEST_ID] = value
    return copy


def idOf(headers: HeaderMap, value: bytes) -> bytes | None:
    """The id that is in `withID(headers, value)`, without making it."""
    return value or headers.get(REQUEST_ID)


class UUIDRequestID:
    """
    Gives requests their id.

    Args:
        packsTraceReason: the 15th character of an id says why the request is traced.
        randomBytes: gives so many of them.

    Attributes:
        ready: ids that are made already, for `new` and who would rather not call it.
    """

    __slots__ = ("_packs", "_random", "ready")

    def __init__(
        self, packsTraceReason: bool = True, randomBytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._packs = packsTraceReason
        self._random = randomBytes
        self.ready: list[bytes] = []

    def new(self) -> bytes:
        """The text of a random UUID, version 4."""
        ready = self.ready
        if not ready:
            self._fill()
        return ready.pop()

    def set(self, headers: HeaderMap, edge: bool, keepsExternal: bool) -> None:
        """
        See to it that a request has an id.

        Args:
            edge: it comes from outside, over us; its own id is not trusted then,
            keepsExternal: unless this says so; it is marked as not traced, at least.
        """
        value = headers.get(REQUEST_ID)
        if not value or (edge and not keepsExternal):
            headers.set(REQUEST_ID, self.new())
        elif edge and self._packs and len(value) == _UUID_LENGTH:
            headers.set(REQUEST_ID, value[:_REASON_AT] + _NOT_TRACED + value[_REASON_AT + 1 :])

    def setInResponse(self, headers: HeaderMap, requestHeaders: HeaderMap) -> None:
        """Give the response its request's id, when that has one."""
        value = requestHeaders.get(REQUEST_ID)
        if value is not None:
            headers.set(REQUEST_ID, value)

    def _fill(self) -> None:
        """Digits go to their places column by column: a byte of all texts in one step."""
        digits = self._random(16 * _BLOCK).hex().encode("ascii")
        texts = bytearray(_PATTERN)
        for to, at in _PLACES:
            texts[to::_UUID_LENGTH] = digits[at::32]
        texts[_VARIANT_AT::_UUID_LENGTH] = digits[16::32].translate(_VARIANTS)
        whole = bytes(texts)
        self.ready.extend(
            [whole[at : at + _UUID_LENGTH] for at in range(0, len(whole), _UUID_LENGTH)]
        )
