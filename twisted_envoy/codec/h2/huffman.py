"""
HPACK's Huffman code.

The code is canonical: it follows from the lengths alone. Decoding goes a byte at a time through
tables that are made as they are needed; what was decoded is kept for the short texts that come
again and again.

RFC 7541, section 5.2 and appendix B
"""

from __future__ import annotations

from twisted_envoy.codec.h2.failures import ConnectionFailure
from twisted_envoy.codec.h2.frames import COMPRESSION_ERROR

_EOS = 256
_LENGTHS = bytes.fromhex(
    "0d171c1c1c1c1c1c1c181e1c1c1e1c1c1c1c1c1c1c1c1e1c1c1c1c1c1c1c1c1c060a0a0c0d06080b0a0a08"
    "0b080606060505050606060606060607080f060c0a0d060707070707070707070707070707070707070707"
    "07070807080d130d0e060f05060506050606060507070606060506070605050607070707070f0b0e0d1c14"
    "16141416161617161717171717181718181617181717171715161716171718161514161617171517161618"
    "15161717151516151716171714161616171616171a1a1413161716191a1a1a1b1b1a181913151a1b1b1a1b"
    "1815151a1a1c1b1b1b14181415161515171616191918181a171a1b1a1a1b1b1b1b1b1c1b1b1b1b1b1a1e"
)
"""Bits of each byte's code, and of the end of a string that no string may have."""
_MOST_KEPT = 2048
_LONGEST_KEPT = 64


def _assign() -> list[str]:
    """The code of each symbol, as 0s and 1s."""
    codes = [""] * len(_LENGTHS)
    code = length = 0
    for symbol in sorted(range(len(_LENGTHS)), key=lambda symbol: (_LENGTHS[symbol], symbol)):
        code <<= _LENGTHS[symbol] - length
        length = _LENGTHS[symbol]
        codes[symbol] = format(code, f"0{length}b")
        code += 1
    return codes


class _Node:
    """
    A place inside a code, after some of its bits.

    Attributes:
        zero, one: the next node, or a symbol.
        ends: a string may end here: the bits are padding.
    """

    __slots__ = ("ends", "one", "steps", "zero")

    def __init__(self, ends: bool) -> None:
        self.zero: _Node | int = _EOS
        self.one: _Node | int = _EOS
        self.ends = ends
        self.steps = _Steps(self)


class _Steps(dict[int, "tuple[bytes, _Steps]"]):
    """From one node: byte -> what it completes, and the steps from where it leads."""

    __slots__ = ("node",)

    def __init__(self, node: _Node) -> None:
        self.node = node

    def __missing__(self, byte: int) -> tuple[bytes, _Steps]:
        node = self.node
        found = bytearray()
        for place in range(7, -1, -1):
            following = node.one if byte >> place & 1 else node.zero
            if isinstance(following, _Node):
                node = following
            elif following == _EOS:
                raise ConnectionFailure(COMPRESSION_ERROR)
            else:
                found.append(following)
                node = _ROOT
        step = self[byte] = bytes(found), node.steps
        return step


def _tree(codes: list[str]) -> _Node:
    root = _Node(True)
    for symbol, code in enumerate(codes):
        node = root
        for place, bit in enumerate(code[:-1]):
            following = node.one if bit == "1" else node.zero
            if not isinstance(following, _Node):
                following = _Node(node.ends and bit == "1" and place < 7)
                if bit == "1":
                    node.one = following
                else:
                    node.zero = following
            node = following
        if code[-1] == "1":
            node.one = symbol
        else:
            node.zero = symbol
    return root


_CODES = _assign()
_ROOT = _tree(_CODES)
_kept: dict[bytes, bytes] = {}


def decode(data: bytes) -> bytes:
    """
    The text that data stands for.

    Raises:
        ConnectionFailure: a wrong padding, or the code of the end.
    """
    found = _kept.get(data)
    if found is not None:
        return found
    steps = _ROOT.steps
    pieces = []
    for byte in data:
        piece, steps = steps[byte]
        pieces.append(piece)
    if not steps.node.ends:
        raise ConnectionFailure(COMPRESSION_ERROR)
    found = b"".join(pieces)
    if len(data) <= _LONGEST_KEPT:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[data] = found
    return found


def encode(text: bytes) -> bytes:
    """The code of text."""
    if not text:
        return b""
    bits = "".join(map(_CODES.__getitem__, text))
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
