"""
What is known of each message type for decoding, worked out once per type.
"""

from __future__ import annotations

from typing import Any as Untyped

from google.protobuf.descriptor import Descriptor

from twisted_envoy.config.fields import SINGLE, Field, kindOf, makeField
from twisted_envoy.config.schema import Schema, classOf


class Plans:
    """The plans of one Schema's message types, each made on first use."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._plans: dict[str, MessagePlan] = {}

    def plan(self, descriptor: Descriptor) -> MessagePlan:
        """Return the plan of a message type."""
        plan = self._plans.get(descriptor.full_name)
        if plan is None:
            plan = self._plans[descriptor.full_name] = MessagePlan(descriptor, self)
        return plan

    def find(self, name: str) -> MessagePlan | None:
        """Return the plan of a full name or type URL; None when unknown."""
        descriptor = self.schema.find(name)
        return None if descriptor is None else self.plan(descriptor)


class MessagePlan:
    """
    One message type.

    Attributes:
        fields: by every spelling of its name that JSON may use.
        kind: `message`, or the well-known type it is.
        oldValues: per enum field, numbers that are deprecated -> whether they are refused.
        checks, viewClass: places for what rules and view work out once per type.
    """

    __slots__ = (
        "checks",
        "descriptor",
        "fields",
        "fullName",
        "kind",
        "make",
        "name",
        "oldValues",
        "plans",
        "viewClass",
    )

    def __init__(self, descriptor: Descriptor, plans: Plans) -> None:
        self.descriptor = descriptor
        self.plans = plans
        self.fullName = descriptor.full_name
        self.name = descriptor.name
        self.kind = kindOf(descriptor.full_name)
        self.make = classOf(descriptor)
        self.checks: Untyped = None
        self.viewClass: Untyped = None
        self.fields: dict[str, Field] = {}
        self.oldValues: dict[str, dict[int, bool]] = {}
        for fieldDescriptor in descriptor.fields:
            field = makeField(fieldDescriptor, plans)
            names = (fieldDescriptor.json_name, field.name, fieldDescriptor.camelcase_name)
            for name in names:
                self.fields[name] = field
            self._findOldValues(field)

    def _findOldValues(self, field: Field) -> None:
        enum = field.descriptor.enum_type
        if enum is None or field.form is not SINGLE:
            return
        schema = self.plans.schema
        options = {value.number: schema.valueOptions(value) for value in enum.values}
        old = {number: one.disallowed for number, one in options.items() if one.deprecated}
        if old:
            self.oldValues[field.name] = old

    def uniqueFields(self) -> list[Field]:
        """Return each field once, as declared."""
        return list(dict.fromkeys(self.fields.values()))
