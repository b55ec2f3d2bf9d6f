"""
Descriptors in the form in which they are stored, and which of them has a type.

Of 558 files a bootstrap needs some sixty: the others are neither read nor built. Only the first two
fields of each are looked at before, which are its name and its package.

Format: google.protobuf.FileDescriptorSet, as serialized in the order of its fields' numbers.
"""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import FileDescriptorProto

_PACKAGE = 0x12  # FileDescriptorProto.package


class Descriptors:
    """
    Files by name, where a DescriptorPool looks for those that it needs.

    Args:
        stored: a FileDescriptorSet, in which each file begins with its name and package.
    """

    def __init__(self, stored: bytes = b"") -> None:
        self._files: dict[str, bytes] = {}
        self._symbols: dict[str, str] = {}
        self._unread: dict[str, list[str]] = {}
        at = 0
        while at < len(stored):
            size, start = _varint(stored, at + 1)
            at = start + size
            name, package = _head(stored, start, at)
            self._files[name] = stored[start:at]
            self._unread.setdefault(package, []).append(name)

    def add(self, file: FileDescriptorProto, serialized: bytes) -> bool:
        """
        Add a file; False, with nothing changed, when there is one of that name.

        Raises:
            TypeError: another file has one of its types.
        """
        if file.name in self._files:
            return False
        self._read(file.package)
        names = _symbols(file)
        for name in names:
            if name in self._symbols:
                raise TypeError(f"{name} is defined in {self._symbols[name]}")
        self._files[file.name] = serialized
        self._symbols.update(dict.fromkeys(names, file.name))
        return True

    def FindFileByName(self, name: str) -> FileDescriptorProto:
        """As DescriptorPool asks; raises KeyError."""
        return FileDescriptorProto.FromString(self._files[name])

    def FindFileContainingSymbol(self, name: str) -> FileDescriptorProto:
        """As DescriptorPool asks, of nested types too; raises KeyError."""
        symbol = name
        while symbol:
            package = symbol.rpartition(".")[0]
            self._read(package)
            if symbol in self._symbols:
                break
            symbol = package
        return self.FindFileByName(self._symbols[symbol])

    def symbols(self) -> list[str]:
        """The full names of all types that stand in no other one."""
        for package in list(self._unread):
            self._read(package)
        return list(self._symbols)

    def _read(self, package: str) -> None:
        """Note the types of a package's files."""
        for name in self._unread.pop(package, ()):
            file = self.FindFileByName(name)
            self._symbols.update(dict.fromkeys(_symbols(file), name))


def _symbols(file: FileDescriptorProto) -> list[str]:
    scope = f"{file.package}." if file.package else ""
    kinds = (file.message_type, file.enum_type, file.extension, file.service)
    return [scope + one.name for kind in kinds for one in kind]


def _head(stored: bytes, start: int, end: int) -> tuple[str, str]:
    """The name and the package of the file that stands there."""
    size, at = _varint(stored, start + 1)
    name = stored[at : at + size].decode()
    at += size
    if at == end or stored[at] != _PACKAGE:
        return name, ""
    size, at = _varint(stored, at + 1)
    return name, stored[at : at + size].decode()


def _varint(stored: bytes, at: int) -> tuple[int, int]:
    """A length, and where it ends."""
    size = shift = 0
    while True:
        byte = stored[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size, at
        shift += 7
