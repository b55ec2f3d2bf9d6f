"""
What kind of client says hello so: JA3 and JA4 fingerprints.

Reserved values (GREASE), which clients put in at random, do not count, but among JA3's groups and
JA4's signature algorithms, where Envoy counts them.

Envoy: extensions.filters.listener.tls_inspector (JA3Fingerprint, JA4Fingerprinter)
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted_envoy.codec.tls_hello import ClientHello

_SERVER_NAME = 0
_GROUPS = 10
_POINT_FORMATS = 11
_SIGNATURES = 13
_ALPN = 16
_VERSIONS = 43
_MOST = 99
_PLAIN = frozenset(string.ascii_letters + string.digits)
_NOTHING = "0" * 12
_NAMES = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0002: "s2"}


def ja3(hello: ClientHello) -> str:
    """The MD5 of versions, ciphers, extensions, groups and point formats, hexadecimal."""
    extensions = hello.extensions
    formats = extensions.get(_POINT_FORMATS, b"")
    fields = (
        str(hello.version),
        _joined(_numbers(hello.ciphers)),
        _joined(each for each in extensions if not isReserved(each)),
        _joined(_all(extensions.get(_GROUPS, b"")[2:])),
        _joined(formats[1:]),
    )
    return hashlib.md5(",".join(fields).encode(), usedforsecurity=False).hexdigest()


def ja4(hello: ClientHello) -> str:
    """The same in three parts that can be read: `t13d1516h2_8daaf6152771_e5627efa2ab1`."""
    ciphers = _numbers(hello.ciphers)
    extensions = [each for each in hello.extensions if not isReserved(each)]
    name = "d" if _SERVER_NAME in hello.extensions else "i"
    counts = f"{min(len(ciphers), _MOST):02d}{min(len(extensions), _MOST):02d}"
    first = f"t{_version(hello)}{name}{counts}{_protocol(hello)}"
    rest = _hexadecimal(sorted(set(extensions) - {_SERVER_NAME, _ALPN}))
    signatures = _hexadecimal(_all(hello.extensions.get(_SIGNATURES, b"")[2:]))
    if signatures:
        rest = f"{rest}_{signatures}"
    return f"{first}_{_digest(_hexadecimal(sorted(ciphers)))}_{_digest(rest)}"


def isReserved(number: int) -> bool:
    """Whether it is one of GREASE's: 0x0a0a, 0x1a1a, ..."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _all(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data) - 1, 2)]


def _numbers(data: bytes) -> list[int]:
    return [each for each in _all(data) if not isReserved(each)]


def _joined(numbers: Iterable[int]) -> str:
    return "-".join(map(str, numbers))


def _hexadecimal(numbers: Iterable[int]) -> str:
    return ",".join(f"{each:04x}" for each in numbers)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else _NOTHING


def _version(hello: ClientHello) -> str:
    """The newest that is offered."""
    offered = _numbers(hello.extensions.get(_VERSIONS, b"")[1:])
    return _NAMES.get(max(offered) if offered else hello.version, "00")


def _protocol(hello: ClientHello) -> str:
    """The first and last character of the first one of ALPN, or digits of those of others."""
    protocols = hello.applicationProtocols
    if not protocols:
        return "00"
    first, last = protocols[0][0], protocols[0][-1]
    if _PLAIN.issuperset((first, last)):
        return first + last
    return f"{ord(first):02x}"[0] + f"{ord(last):02x}"[1]
