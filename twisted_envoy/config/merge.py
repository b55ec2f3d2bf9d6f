"""
One bootstrap laid over another.

Envoy: Message::MergeFrom, as `--config-yaml` is merged into the file of `-c`
"""

from __future__ import annotations

from typing import Any as Untyped

from twisted_envoy.config.fields import LIST, MAP, MessageField, ScalarField
from twisted_envoy.config.record import Record


def mergeRecords(into: Record, more: Record) -> None:
    """
    Merge `more` into `into`, which keeps the entries of both.

    Scalars are overwritten (but not by a zero, which protobuf cannot tell from nothing), lists
    appended, maps replaced key by key, messages merged field by field.
    """
    into.message.MergeFrom(more.message)
    _mergeEntries(into, more)
    _rebind(into, into.message)


def _mergeEntries(into: Record, more: Record) -> None:
    for name, (key, node, below) in more.entries.items():
        field = more.plan.fields[name]
        ours = into.entries.get(name)
        if isinstance(field, ScalarField) and field.form != LIST:
            if not field.descriptor.has_presence and not getattr(more.message, name):
                continue
        old: Untyped = ours[2] if ours is not None else None
        new: Untyped = below
        if field.form == LIST and old:
            new = [*old, *(new or ())]
        elif field.form == MAP and old:
            new = {**old, **(new or {})}
        elif isinstance(field, MessageField) and field.kind == "message" and old is not None:
            if field.form != LIST:
                _mergeEntries(old, new)
                continue
        if field.oneof is not None:
            for sibling in more.plan.descriptor.oneofs_by_name[field.oneof].fields:
                into.entries.pop(sibling.name, None)
        into.entries[name] = (key, node, new)


def _rebind(record: Record, message: Untyped) -> None:
    """Point a tree of records at the merged messages."""
    record.message = message
    for name, (_, _, below) in record.entries.items():
        part = getattr(message, name)
        if isinstance(below, list):
            for index, child in enumerate(below):
                child.parent, child.index = record, index
                _rebind(child, part[index])
        elif isinstance(below, dict):
            for key, child in below.items():
                child.parent = record
                _rebind(child, part[key])
        elif below is not None:
            below.parent = record
            _rebind(below, part)
