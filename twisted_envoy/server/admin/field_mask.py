"""
google.protobuf.FieldMask, as /config_dump applies it.

A path may not lead through a repeated field; for one element of a dump it may lead into a
google.protobuf.Any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any as Untyped

from google.protobuf.message import Message

from twisted_envoy.server.admin.json_text import MessageKit, isRepeated

ANY = "google.protobuf.Any"


class FieldMaskError(ValueError):
    """A path that the message does not have."""


def trim(message: Message, paths: Iterable[str]) -> None:
    """
    Keep only the fields that the paths name.

    Raises:
        FieldMaskError: a path is not one of the message's; the message is left as it was.
    """
    tree: dict[str, Untyped] = {}
    for path in sorted(paths, key=lambda path: path.count(".")):
        _checkPath(message.DESCRIPTOR, path)
        _grow(tree, path.split("."))
    _keep(message, tree)


def trimElement(kit: MessageKit, message: Untyped, paths: Iterable[str]) -> None:
    """
    Like trim, for one element of a dump: `listener.name` looks into the Any in `listener`.

    Raises:
        FieldMaskError: a path is not one of the element's.
    """
    outer: list[str] = []
    inner: dict[str, list[str]] = {}
    for path in paths:
        head, dot, rest = path.partition(".")
        field = message.DESCRIPTOR.fields_by_name.get(head)
        if dot and field is not None and field.message_type is not None:
            if field.message_type.full_name == ANY:
                inner.setdefault(head, []).append(rest)
                path = head
        outer.append(path)
    trim(message, outer)
    for name, innerPaths in inner.items():
        packed = getattr(message, name)
        content = kit.new(packed.type_url.rpartition("/")[2])
        content.ParseFromString(packed.value)
        trim(content, innerPaths)
        packed.value = content.SerializeToString()


def _checkPath(descriptor: Untyped, path: str) -> None:
    *parents, last = path.split(".")
    for name in parents:
        field = descriptor.fields_by_name.get(name)
        if field is None or field.message_type is None or isRepeated(field):
            raise FieldMaskError(path)
        descriptor = field.message_type
    if last not in descriptor.fields_by_name:
        raise FieldMaskError(path)


def _grow(branch: dict[str, Untyped], names: list[str]) -> None:
    """Add a path to the tree of what is kept; an empty branch keeps all that is below it."""
    for name in names[:-1]:
        if branch.get(name) == {}:
            return
        branch = branch.setdefault(name, {})
    branch[names[-1]] = {}


def _keep(message: Untyped, tree: dict[str, Untyped]) -> None:
    for field, value in message.ListFields():
        branch = tree.get(field.name)
        if branch is None:
            message.ClearField(field.name)
        elif branch:
            _keep(value, branch)
