"""
Whole numbers as Envoy reads them in headers.

Envoy: absl::SimpleAtoi
"""

from __future__ import annotations

UINT32 = (1 << 32) - 1
UINT64 = (1 << 64) - 1
_BLANKS = b" \t\n\v\f\r"


def wholeNumber(text: bytes, most: int = UINT64) -> int | None:
    """
    Read a number that is not negative; blanks around it and a plus before it are taken.

    Returns:
        None when it is none, or more than `most`.
    """
    digits = text.strip(_BLANKS)
    if digits[:1] == b"+":
        digits = digits[1:]
    if not digits.isdigit():
        return None
    digits = digits.lstrip(b"0") or b"0"
    if len(digits) > 20:
        return None
    number = int(digits)
    return number if number <= most else None
