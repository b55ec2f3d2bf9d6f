"""
`x-request-id` as a random UUID.

Envoy: extensions.request_id.uuid.v3.UuidRequestIdConfig
"""

from __future__ import annotations

import os
from collections.abc import Callable

from twisted_envoy.codec.headers import HeaderMap

REQUEST_ID = b"x-request-id"
_BLOCK = 64
_UUID_LENGTH = 36
_REASON_AT = 14
_NOT_TRACED = b"4"
_VARIANTS = {
    digit: b"89ab"[value & 3 : (value & 3) + 1] for value, digit in enumerate(b"0123456789abcdef")
}


class UUIDRequestID:
    """
    Gives requests their id.

    Args:
        packsTraceReason: the 15th character of an id says why the request is traced.
        randomBytes: gives so many of them.
    """

    __slots__ = ("_next", "_packs", "_random", "_ready")

    def __init__(
        self, packsTraceReason: bool = True, randomBytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._packs = packsTraceReason
        self._random = randomBytes
        self._ready: list[bytes] = []

    def new(self) -> bytes:
        """The text of a random UUID, version 4."""
        ready = self._ready
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
        digits = self._random(16 * _BLOCK).hex().encode("ascii")
        self._ready.extend(
            b"%b-%b-4%b-%b%b-%b"
            % (
                digits[at : at + 8],
                digits[at + 8 : at + 12],
                digits[at + 13 : at + 16],
                _VARIANTS[digits[at + 16]],
                digits[at + 17 : at + 20],
                digits[at + 20 : at + 32],
            )
            for at in range(0, 32 * _BLOCK, 32)
        )
