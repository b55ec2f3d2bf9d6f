"""Protobuf messages as the JSON that Envoy's admin pages print: one blank per level."""

from __future__ import annotations

import json
from typing import Any as Untyped

from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.addresses import addressText


class MessageKit:
    """
    Makes admin messages of the server's own descriptor pool and prints them.

    Args:
        pool: the private pool that the bootstrap's messages come from.
    """

    def __init__(self, pool: DescriptorPool) -> None:
        self.pool = pool

    def new(self, name: str, /, **fields: object) -> Untyped:
        """A message by its full name; fields as the class's constructor takes them."""
        return GetMessageClass(self.pool.FindMessageTypeByName(name))(**fields)

    def toDict(self, message: Message, defaults: bool = False) -> dict[str, object]:
        """
        The message as JSON's values, fields in the order of their numbers.

        Args:
            defaults: fields that are not set appear too.
        """
        found: dict[str, object] = json_format.MessageToDict(
            message,
            preserving_proto_field_name=True,
            descriptor_pool=self.pool,
            **({_DEFAULTS: True} if defaults else {}),
        )
        return _ordered(found, message.DESCRIPTOR) if defaults else found

    def text(self, message: Message, defaults: bool = False) -> str:
        """The message as a page's body, with a newline at its end."""
        return jsonText(self.toDict(message, defaults))

    def address(self, address: IAddress) -> Untyped:
        """The config.core.v3.Address of a Twisted address."""
        made = self.new("envoy.config.core.v3.Address")
        if isinstance(address, (IPv4Address, IPv6Address)):
            made.socket_address.address = address.host
            made.socket_address.port_value = address.port
        elif isinstance(address, UNIXAddress):
            made.pipe.path = addressText(address)
        elif isinstance(address, InternalAddress):
            made.envoy_internal_address.server_listener_name = address.name
            made.envoy_internal_address.endpoint_id = address.endpointID
        return made


def isRepeated(field: Untyped) -> bool:
    """Whether a field is a list or map; protobuf 6 renamed the question."""
    repeated: object = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED) if repeated is None else bool(repeated)


def _defaultsOption() -> str:
    """protobuf 5.26 renamed the option."""
    names = json_format.MessageToDict.__code__.co_varnames
    new = "always_print_fields_with_no_presence"
    return new if new in names else "including_default_value_fields"


_DEFAULTS = _defaultsOption()


def jsonText(value: object) -> str:
    """Any JSON value as a page's body."""
    return json.dumps(_plain(value), indent=1, ensure_ascii=False) + "\n"


def _plain(value: object) -> object:
    """The same with whole numbers as `1`, not as `1.0`, as protobuf's C++ prints them."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _ordered(found: dict[str, object], descriptor: Untyped) -> dict[str, object]:
    if descriptor.full_name.startswith("google.protobuf."):
        return found
    fields = sorted(descriptor.fields, key=lambda field: field.number)
    return {
        field.name: _orderedValue(found[field.name], field)
        for field in fields
        if field.name in found
    }


def _orderedValue(value: object, field: Untyped) -> object:
    kind = field.message_type
    if kind is None or kind.GetOptions().map_entry:
        return value
    if isinstance(value, list):
        return [_ordered(one, kind) if isinstance(one, dict) else one for one in value]
    return _ordered(value, kind) if isinstance(value, dict) else value
