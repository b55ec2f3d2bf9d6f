"""
Old forms of commands, which the values of headers may still have.

    %UPSTREAM_METADATA(["ns","key"])%, DYNAMIC_METADATA too   %UPSTREAM_METADATA(ns:key)%
    %PER_REQUEST_STATE(key)%                                  %FILTER_STATE(key:PLAIN)%

Envoy: HeaderParser::translateMetadataFormat, translatePerRequestState
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

_METADATA = re.compile(r"%(UPSTREAM|DYNAMIC)_METADATA\(\s*(\[[^%]*?\])\s*\)%")
_STATE = re.compile(r"%PER_REQUEST_STATE\(([^%]*?)\)%")


def translated(text: str, warn: Callable[[str, str], None]) -> str:
    """
    The text with commands as they are written now.

    Args:
        warn: called for each that has changed, with a text and the name of the field.
    """

    def metadata(found: re.Match[str]) -> str:
        try:
            path = json.loads(found[2])
        except ValueError:
            return found[0]
        if not path or not all(isinstance(key, str) for key in path):
            return found[0]
        command = f"%{found[1]}_METADATA({':'.join(path)})%"
        warn(
            f"Header formatter: JSON format of {found[1]}_METADATA parameters has been obsoleted. "
            f"Use colon format: {command}",
            "value",
        )
        return command

    def state(found: re.Match[str]) -> str:
        command = f"%FILTER_STATE({found[1]}:PLAIN)%"
        text = f"PER_REQUEST_STATE header formatter has been obsoleted. Use {command}"
        warn(text, "value")
        return command

    if "_METADATA(" in text:
        text = _METADATA.sub(metadata, text)
    return _STATE.sub(state, text) if "%PER_REQUEST_STATE(" in text else text
