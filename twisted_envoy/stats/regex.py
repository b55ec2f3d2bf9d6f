"""
RE2's syntax and error words over Python's `re`, for patterns that an operator types.

RE2 has no look-around and no back references; patterns with them are refused as RE2 refuses them.
"""

from __future__ import annotations

import re

_PERL = re.compile(r"\\.|(\(\?(?:[=!>(#]|<[=!]|P=|P>))", re.DOTALL)
_BACK_REFERENCE = re.compile(r"\\(?:[1-9gkZ])|\\\\|\\.", re.DOTALL)
_REPEAT = re.compile(r"[*+?](?:\?)?[*+]|[*+?]\?\?+")


def compileRegex(pattern: str) -> re.Pattern[str]:
    """
    Compile a pattern for `search`.

    Raises:
        ValueError: RE2's words for what is wrong with it (`missing ): (`).
    """
    perl = next((found for found in _PERL.finditer(pattern) if found.group(1)), None)
    if perl is not None:
        raise ValueError(f"invalid perl operator: {perl.group(1)}")
    for found in _BACK_REFERENCE.finditer(pattern):
        if len(found.group()) == 2 and found.group()[1] in "123456789gkZ":
            raise ValueError(f"invalid escape sequence: {found.group()}")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(_words(pattern, error)) from error


def _words(pattern: str, error: re.error) -> str:
    at = error.pos or 0
    message = error.msg
    if message.startswith("missing ), unterminated"):
        return f"missing ): {pattern}"
    if message.startswith("unbalanced parenthesis"):
        return f"unexpected ): {pattern}"
    if message.startswith("unterminated character set"):
        return f"missing ]: {pattern[at:]}"
    if message.startswith("nothing to repeat"):
        return f"no argument for repetition operator: {pattern[at : at + 1]}"
    if message.startswith("multiple repeat"):
        repeated = _REPEAT.search(pattern)
        operator = repeated.group() if repeated else pattern[at:]
        return f"bad repetition operator: {operator}"
    if message.startswith("bad escape (end of pattern)"):
        return "trailing \\"
    if message.startswith("bad escape"):
        return f"invalid escape sequence: {pattern[at : at + 2]}"
    if message.startswith("bad character range"):
        return f"invalid character class range: {message.rsplit(' ', 1)[-1]}"
    return f"{message}: {pattern}"
