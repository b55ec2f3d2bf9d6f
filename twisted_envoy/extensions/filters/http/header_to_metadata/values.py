"""
From the text of a header to a value of metadata.

Envoy: HeaderToMetadataFilter::addMetadata
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable

from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value

Conversion = Callable[[bytes], object]
"""What a text stands for; raises ValueError when it is nothing of that type."""

_DECIMAL = re.compile(rb"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?|nan)\Z", re.IGNORECASE)
_HEXADECIMAL = re.compile(rb"[+-]?0x", re.IGNORECASE)
_BLANKS = b" \t\n\v\f\r"


def toText(data: bytes) -> object:
    """STRING."""
    return data.decode("utf-8", "surrogateescape")


def toNumber(data: bytes) -> object:
    """
    NUMBER: as C writes one.

    Raises:
        ValueError: it is none.
    """
    text = data.strip(_BLANKS)
    if _DECIMAL.match(text):
        return float(text)
    if not _HEXADECIMAL.match(text):
        raise ValueError("no number")
    try:
        return float.fromhex(text.decode("ascii", "replace"))
    except OverflowError:
        return float("-inf" if text.startswith(b"-") else "inf")


def toValue(data: bytes) -> object:
    """
    PROTOBUF_VALUE: a serialized google.protobuf.Value.

    Raises:
        ValueError: it is none.
    """
    try:
        return _plain(Value.FromString(data))
    except DecodeError as error:
        raise ValueError("no google.protobuf.Value") from error


def _plain(value: Value) -> object:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _plainStruct(value.struct_value)
    if kind == "list_value":
        return [_plain(one) for one in value.list_value.values]
    if kind is None or kind == "null_value":
        return None
    found: object = getattr(value, kind)
    return found


def _plainStruct(struct: Struct) -> dict[str, object]:
    return {key: _plain(value) for key, value in struct.fields.items()}


def decodeBase64(text: bytes) -> bytes:
    """
    What a text in base64 stands for; its padding may be missing.

    Raises:
        ValueError: it is none, or stands for nothing.
    """
    bare = text
    for _ in range(2):
        bare = bare.removesuffix(b"=")
    try:
        data = b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except Error as error:
        raise ValueError("no base64") from error
    if not data or b64encode(data).rstrip(b"=") != bare:
        raise ValueError("no base64")
    return data
