"""Secrets are not shown: fields that Envoy's schema marks as sensitive become `[redacted]`."""

from __future__ import annotations

from typing import Any as Untyped

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from twisted_envoy.server.admin.json_text import MessageKit, isRepeated

REDACTED = "[redacted]"
_ANY = "google.protobuf.Any"


class Redaction:
    """
    Takes secrets out of messages.

    Args:
        kit: whose pool knows the messages, and the schema's own `sensitive` marks.
    """

    def __init__(self, kit: MessageKit) -> None:
        self._kit = kit
        self._options: Untyped = type(kit.new("twisted_envoy.options.Field"))
        self._marks: dict[FieldDescriptor, bool] = {}

    def redact(self, message: Message, hide: bool = False) -> None:
        """
        Change the message in place, down to what is packed in its Anys.

        Args:
            hide: everything below is secret.
        """
        if message.DESCRIPTOR.full_name == _ANY:
            self._packed(message, hide)
            return
        for field, value in message.ListFields():
            self._field(message, field, value, hide or self._sensitive(field))

    def _sensitive(self, field: FieldDescriptor) -> bool:
        known = self._marks.get(field)
        if known is None:
            options = self._options.FromString(field.GetOptions().SerializeToString())
            known = self._marks[field] = bool(options.sensitive)
        return known

    def _packed(self, message: Untyped, hide: bool) -> None:
        try:
            content = self._kit.new(message.type_url.rpartition("/")[2])
            content.ParseFromString(message.value)
        except (KeyError, DecodeError):
            if hide:
                message.Clear()
            return
        self.redact(content, hide)
        message.value = content.SerializeToString(deterministic=True)

    def _field(self, message: Untyped, field: FieldDescriptor, value: Untyped, hide: bool) -> None:
        kind = field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            self._map(field, value, hide)
        elif kind is not None:
            for one in value if isRepeated(field) else (value,):
                self.redact(one, hide)
        elif hide and isRepeated(field):
            value[:] = [_hidden(one) for one in value]
        elif hide:
            setattr(message, field.name, _hidden(value))

    def _map(self, field: Untyped, value: Untyped, hide: bool) -> None:
        isMessage = field.message_type.fields_by_name["value"].message_type is not None
        for key in list(value):
            if isMessage:
                self.redact(value[key], hide)
            elif hide:
                value[key] = _hidden(value[key])


def _hidden(value: object) -> object:
    if isinstance(value, str):
        return REDACTED
    if isinstance(value, bytes):
        return REDACTED.encode()
    return type(value)()
