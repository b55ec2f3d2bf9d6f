"""
Envoy's message types.

All 558 .proto files of Envoy 1.40 ship as one compressed data file, made by
tools/extract_schema.py.  They live in a pool of their own and never in protobuf's default pool, so
they cannot clash with stubs that an application has.
"""

from __future__ import annotations

import pkgutil
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any as Untyped
from typing import cast

from google.protobuf.descriptor import (
    Descriptor,
    EnumValueDescriptor,
    FieldDescriptor,
    OneofDescriptor,
)
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.reflection import GeneratedProtocolMessageType

from twisted_envoy.config.descriptors import Descriptors

DATA_FILE = "schema.binpb.gz"
_GZIP = 16 + zlib.MAX_WBITS


class Schema:
    """A private pool of message types, found by full name or type URL."""

    def __init__(self) -> None:
        packed = pkgutil.get_data("twisted_envoy.config", DATA_FILE) or b""
        self._files = Descriptors(zlib.decompress(packed, _GZIP))
        self._pool = DescriptorPool(self._files)
        self._options = {
            kind: self.messageClass(f"twisted_envoy.options.{kind}")
            for kind in ("Field", "Message", "Oneof", "Value")
        }

    @property
    def pool(self) -> DescriptorPool:
        """The pool, for protobuf's own functions that want one."""
        return self._pool

    def addDescriptors(self, serialized: bytes | Iterable[bytes]) -> None:
        """
        Add a third party's message types.

        A file that is here already, under the same name, is left as it is: Envoy's own come first.

        Args:
            serialized: FileDescriptorProtos, in any order (`some_pb2.DESCRIPTOR.serialized_pb`),
                or one FileDescriptorSet.
        Raises:
            ValueError: one of them is not a descriptor, or imports what nobody knows.
        """
        waiting: dict[str, tuple[FileDescriptorProto, bytes]] = {}
        try:
            if isinstance(serialized, bytes):
                files = FileDescriptorSet.FromString(serialized).file
                serialized = [file.SerializeToString() for file in files]
            for data in serialized:
                file = FileDescriptorProto.FromString(data)
                waiting[file.name] = (file, data)
        except DecodeError as error:
            raise ValueError(f"not a serialized descriptor: {error}") from error
        while waiting:
            ready = [
                name
                for name, (file, _) in waiting.items()
                if not any(needed in waiting for needed in file.dependency)
            ]
            if not ready:
                raise ValueError(f"descriptors import each other: {', '.join(waiting)}")
            for name in ready:
                try:
                    if self._files.add(*waiting.pop(name)):
                        self._pool.FindFileByName(name)  # builds it
                except (TypeError, KeyError) as error:
                    raise ValueError(f"cannot add descriptor {name}: {error}") from error

    def find(self, name: str) -> Descriptor | None:
        """Return the descriptor of a message, by full name or type URL; None when unknown."""
        try:
            return self._pool.FindMessageTypeByName(name.rpartition("/")[2])
        except KeyError:
            return None

    def near(self, name: str) -> str:
        """Return the name of a type that may be meant by one that nobody knows; "" without one."""
        from difflib import get_close_matches

        wanted = name.rpartition("/")[2]
        ending = "." + wanted.rpartition(".")[2]
        known = self._files.symbols()
        alike = [one for one in known if one.endswith(ending)]
        close = get_close_matches(wanted, alike, 1, 0.5) or get_close_matches(wanted, known, 1, 0.8)
        return close[0] if close else ""

    def messageClass(self, name: str) -> type[Message]:
        """
        Return the class of a message, by full name or type URL.

        Raises:
            KeyError: nobody knows it.
        """
        descriptor = self.find(name)
        if descriptor is None:
            raise KeyError(name)
        return classOf(descriptor)

    def fieldOptions(self, field: FieldDescriptor) -> Untyped:
        """Return `rules`, `deprecated`, `disallowed` and `sensitive` of a field."""
        return self._options["Field"].FromString(field.GetOptions().SerializeToString())

    def valueOptions(self, value: EnumValueDescriptor) -> Untyped:
        """Return `deprecated` and `disallowed` of an enum's value."""
        return self._options["Value"].FromString(value.GetOptions().SerializeToString())

    def messageOptions(self, message: Descriptor) -> Untyped:
        """Return `disabled` and `ignored` (of validation) of a message."""
        return self._options["Message"].FromString(message.GetOptions().SerializeToString())

    def oneofRequired(self, oneof: OneofDescriptor) -> bool:
        """Must one member of a oneof be set?"""
        options: Untyped = self._options["Oneof"].FromString(oneof.GetOptions().SerializeToString())
        return bool(options.required)


def classOf(descriptor: Descriptor) -> type[Message]:
    """
    Return the class of a descriptor's messages.

    message_factory.GetMessageClass makes the classes of all messages that may be in it as well:
    for a bootstrap 360, of which it has thirty.
    """
    found: Untyped = getattr(descriptor, "_concrete_class", None)
    if found is None:
        body = {"DESCRIPTOR": descriptor, "__module__": None}
        found = GeneratedProtocolMessageType(descriptor.name, (Message,), body)
    return cast("type[Message]", found)


@lru_cache(maxsize=1)
def envoySchema() -> Schema:
    """
    Return the one Schema of this process, loaded on first use (4 ms).

    It only ever grows, by the descriptors of installed packages, which are the same for everyone.
    """
    return Schema()
