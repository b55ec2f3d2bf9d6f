"""The factory of twisted_wrapper, and the message that it is configured with."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from twisted.protocols.policies import WrappingFactory
from twisted.python.reflect import namedAny
from zope.interface import implementer

from twisted_envoy.extensions.filters.network.twisted_wrapper.filter import (
    TwistedWrapper,
    UpperFactory,
)
from twisted_envoy.interfaces.network import INetworkFilterFactory

if TYPE_CHECKING:
    from twisted_envoy.config.view import View

_BROKEN = re.compile(r"[+-]?[0-9]*\.[0-9]+\Z")
_PACKAGE = "twisted_envoy.extensions.filters.network.twisted_wrapper.v3"


def _message() -> FileDescriptorProto:
    """message TwistedWrapper { string factory = 1; google.protobuf.Struct arguments = 2; }"""
    factory = FieldDescriptorProto(
        name="factory",
        number=1,
        type=FieldDescriptorProto.TYPE_STRING,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    arguments = FieldDescriptorProto(
        name="arguments",
        number=2,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=".google.protobuf.Struct",
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    return FileDescriptorProto(
        name=f"{_PACKAGE.replace('.', '/')}/twisted_wrapper.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=["google/protobuf/struct.proto"],
        message_type=[DescriptorProto(name="TwistedWrapper", field=[factory, arguments])],
    )


@implementer(INetworkFilterFactory)
class TwistedWrapperFactory:
    """Builds the maker of TwistedWrapper links."""

    typeURL = f"{_PACKAGE}.TwistedWrapper"
    category = "filters.network"
    terminal = False

    @property
    def descriptors(self) -> tuple[bytes, ...]:
        """The config's message, for the schema: a serialized FileDescriptorProto."""
        return (_message().SerializeToString(),)

    def build(self, config: View, context: Any) -> Callable[[], TwistedWrapper]:
        """
        Raises:
            ConfigError: no such class, not a WrappingFactory, or arguments that it does not take.
        """
        factoryClass = _classNamed(config)
        given: dict[str, Any] = config.arguments or {}
        arguments = {name: _number(value) for name, value in given.items()}
        # Without self and the wrapped factory.
        taken = list(inspect.signature(factoryClass.__init__).parameters)[2:]
        if "reactor" in taken:
            arguments.setdefault("reactor", context.reactor)
        upper = UpperFactory()
        try:
            factory: Any = factoryClass(upper, **arguments)
        except Exception as error:
            known = ", ".join(taken) or "none"
            text = f"{config.factory}: {error} (known arguments: {known})"
            raise config.error(text, "arguments") from error
        if hasattr(factory, "callLater"):
            factory.callLater = context.reactor.callLater
        factory.noisy = False
        if not context.validating:
            factory.doStart()
        return partial(TwistedWrapper, factory, upper)


def _number(value: object) -> object:
    """A broken number: Envoy's YAML reader makes a text of `0.5`."""
    return float(value) if isinstance(value, str) and _BROKEN.match(value) else value


def _classNamed(config: View) -> type[Any]:
    name: str = config.factory
    try:
        found = namedAny(name)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise config.error(f"cannot import '{name}': {error}", "factory") from error
    if not (isinstance(found, type) and issubclass(found, WrappingFactory)):
        raise config.error(
            f"'{name}' is not a subclass of twisted.protocols.policies.WrappingFactory", "factory"
        )
    return found
