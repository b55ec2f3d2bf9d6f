"""
From a type URL to the factory that obeys it.

There is no list.  `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy` loses `envoy.` and
`.v3.TcpProxy`, and is looked for in `twisted_envoy.extensions.filters.network.tcp_proxy`, whose
`factories` name the type URLs they obey.  What is not there is looked for among the entry points
`twisted_envoy.extensions` of installed packages; their names are type URLs.  Nothing is imported
that no config names.

A factory has
    typeURL      the type it obeys (with or without `type.googleapis.com/`)
    descriptors  its own messages, as Schema.addDescriptors takes them; may be missing
    category     `filters.network` and the like, one or several; may be missing when the module's
                 path says it
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any as Untyped

from twisted_envoy.config.bootstrap import decodeNode, envoyPlans
from twisted_envoy.config.installed import BrokenExtension, Installed, bare, installed
from twisted_envoy.config.plan import MessagePlan, Plans
from twisted_envoy.config.read_dict import ReadDict
from twisted_envoy.config.record import Record
from twisted_envoy.config.rules import validate
from twisted_envoy.config.view import TYPED_STRUCTS, AnyView, View, markRead, viewOf
from twisted_envoy.errors import ConfigError, UnsupportedExtension, UnsupportedField

PACKAGE = "twisted_envoy.extensions"
ENVOY_VERSION = "1.40"

_TYPE = re.compile(
    r"(?:(?:twisted_)?envoy\.)?(?:extensions\.)?(?P<path>[a-z0-9_.]+)\.v[0-9]+[a-z0-9]*\.[A-Za-z]"
)


def modulePath(typeName: str) -> str:
    """Return the path below `twisted_envoy.extensions` for a message type; '' if it has none."""
    found = _TYPE.match(typeName)
    return found["path"] if found else ""


def filterType(typeURL: str) -> str:
    """`envoy.filters.network.echo` of `envoy.extensions.filters.network.echo.v3.Echo`."""
    typeURL = bare(typeURL)
    if not typeURL.startswith("envoy."):
        return typeURL
    package = typeURL.rpartition(".")[0]
    head, _, version = package.rpartition(".")
    if version.startswith("v"):
        package = head
    return package.replace("envoy.extensions.", "envoy.", 1)


def openFilter(
    config: Untyped, context: Untyped, layer: str, isLast: bool
) -> tuple[Untyped, Untyped]:
    """
    The factory that a filter of a chain names, and the View of its config.

    Args:
        layer: `network`, `http` or `http upgrade`.
        isLast: it ends the chain, which terminal filters must and others must not.
    Raises:
        ConfigError: it stands in the wrong place, or is to be discovered.
    """
    if config.which("config_type") == "config_discovery":
        raise UnsupportedField(
            config.path,
            "config_discovery is not implemented by twisted_envoy",
            config.position("config_discovery"),
        )
    factory, inner = context.extensions.open(config, f"filters.{layer.partition(' ')[0]}")
    if not hasattr(factory, "terminal"):
        raise config.error(f"the factory of {factory.typeURL} does not say whether it is terminal")
    if bool(factory.terminal) is isLast:
        return factory, inner
    who = f"filter named {config.name} of type {filterType(factory.typeURL)}"
    if isLast:
        raise config.error(
            f"Error: non-terminal {who} is the last filter in a {layer} filter chain."
        )
    raise config.error(f"Error: terminal {who} must be the last filter in a {layer} filter chain.")


def buildWith(factory: Untyped, config: Untyped, context: object, owner: Untyped) -> Untyped:
    """
    What a factory makes of its config.

    Args:
        owner: the View of what names the extension, for the place of an error.
    Raises:
        ConfigError: the factory's own; or it raised something else, which is named then.
    """
    try:
        return factory.build(config, context)
    except (ConfigError, OSError):
        raise
    except Exception as problem:
        name = type(problem).__name__
        text = f"the factory of {factory.typeURL} raised {name}: {problem}"
        raise owner.error(text) from problem


def buildFilter(factory: Untyped, config: Untyped, context: object, owner: Untyped) -> Untyped:
    """
    What makes the filters of a chain, as `buildWith`.

    Raises:
        ConfigError: the factory made nothing that can be called.
    """
    maker = buildWith(factory, config, context, owner)
    if callable(maker):
        return maker
    made = "None" if maker is None else f"a {type(maker).__name__}"
    raise owner.error(
        f"build of the factory of {factory.typeURL} returned {made}, not a callable that makes a "
        "filter"
    )


def _importIfThere(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            return None
        raise


class StructView:
    """
    The config of an extension that has no message type of its own: a dict, with its place.

    What of `value` is read says that it is obeyed; the rest is unread, all of one that is not empty
    where nobody looks at it.
    """

    __slots__ = ("_any", "_value")

    def __init__(self, holder: AnyView) -> None:
        self._any = holder
        self._value: dict[str, Untyped] | None = None
        content = holder.record.content
        if content is not None and not content.message.value.fields:  # type: ignore[attr-defined]
            self._value = holder.struct

    @property
    def value(self) -> dict[str, Untyped]:
        """The config; empty when there is none."""
        if self._value is None:
            self._value = self._any.record.struct = ReadDict(self._any.struct or {})
        return self._value

    @property
    def path(self) -> str:
        """Where this is."""
        return self._any.path

    def error(self, problem: str, field: str | None = None) -> ConfigError:
        """Make an error about this config; the caller raises it."""
        return self._any.error(f"{field}: {problem}" if field else problem)

    def warn(self, problem: str, field: str | None = None) -> None:
        """Collect a warning about this config."""
        self._any.warn(f"{field}: {problem}" if field else problem)


_MORE_HOMES = {
    "filters.listener": ("filters.udp.",),
    "bootstrap": ("network.socket_interface.", "wasm."),
    "compression.compressor": ("compression.",),
    "compression.decompressor": ("compression.",),
    "matching.http.input": ("matching.common_inputs.ssl.", "matching.http.", "xds.type.matcher."),
    "matching.network.input": ("matching.common_inputs.ssl.",),
    "matching.input_matchers": ("xds.type.matcher.",),
}
"""Where else in Envoy's packages the extensions of a category are."""


class Extensions:
    """
    Finds factories, and imports what they need on the way.

    Args:
        plans: the message types; those of this process if not given.
        extra: factories that are found before any other; for tests and applications.
    """

    def __init__(self, plans: Plans | None = None, extra: Iterable[object] = ()) -> None:
        self._plans = plans or envoyPlans()
        self._found: dict[str, object | None] = {}
        self._installed: dict[str, Installed] = {}
        self._extra = tuple(extra)
        for factory in self._extra:
            self._learn(factory)

    def _learn(self, factory: Untyped) -> None:
        self._found[bare(factory.typeURL)] = factory
        descriptors = getattr(factory, "descriptors", None)
        if descriptors:
            self._plans.schema.addDescriptors(descriptors)

    def findType(self, typeName: str) -> bool:
        """
        Make a message type known that the schema lacks; asked by the decoder.

        Returns:
            Whether some installed package knows the type.
        Raises:
            BrokenExtension: one says so, and cannot be used.
        """
        if self.factory(typeName) is not None:
            return True
        if typeName in self._installed:
            raise BrokenExtension(self._installed[typeName].unsuited(typeName))
        return False

    def factory(self, typeURL: str) -> Untyped:
        """Return the factory of a type URL or full name; None when there is none."""
        name = bare(typeURL)
        if name not in self._found:
            self._found[name] = None
            for factory in self._candidates(name):
                if bare(getattr(factory, "typeURL", "")) == name:
                    self._learn(factory)
                    break
        return self._found[name]

    def _candidates(self, name: str) -> Iterable[Untyped]:
        path = modulePath(name)
        module = _importIfThere(f"{PACKAGE}.{path}") if path else None
        if module is not None:
            yield from getattr(module, "factories", ())
        for one in installed(name):
            self._installed[name] = one
            yield from one.factories

    def open(self, config: Untyped, category: str) -> tuple[Untyped, Untyped]:
        """
        Open a TypedExtensionConfig, or any message with `name` and `typed_config`.

        Args:
            config: its View.
            category: what may stand here: `filters.network`, `transport_sockets`, ...
        Returns:
            The factory, and the View of its config; a StructView for a TypedStruct whose type has
            no message.
        Raises:
            ConfigError: nobody knows the type here, or its config breaks a rule.
            UnsupportedExtension: Envoy knows it, twisted_envoy does not.
        """
        holder: AnyView | None = config.typed_config if hasattr(config, "typed_config") else None
        return self.openAny(holder, config.name, category, config)

    def openAny(
        self, holder: AnyView | None, name: str, category: str, owner: Untyped
    ) -> tuple[Untyped, Untyped]:
        """
        Open an Any that names an extension; see open.

        Args:
            name: the extension's name, for the error.
            owner: the View that an error points at when there is no Any.
        """
        typeName = "" if holder is None else _innerType(holder)
        factory = self.factory(typeName) if typeName else None
        if holder is None or factory is None or not isOf(category, factory, typeName):
            raise self._unknown(holder, name, typeName, category, owner)
        if holder.typeName not in TYPED_STRUCTS:
            return factory, holder.open()
        plan = self._plans.find(typeName)
        return factory, StructView(holder) if plan is None else self._openStruct(holder, plan)

    def routeFactory(
        self, holder: AnyView, name: str, category: str, owner: Untyped, optional: bool = False
    ) -> tuple[Untyped, Untyped] | None:
        """
        Open a typed_per_filter_config.

        Args:
            optional: None is given for one that nobody knows.
        Returns:
            The factory whose `routeTypeURL` it is, and the View of the config.
        Raises:
            ConfigError, UnsupportedExtension: see open.
        """
        typeName = _innerType(holder)
        for factory in (*self._extra, *self._candidates(typeName)):
            if typeName and bare(getattr(factory, "routeTypeURL", "")) == typeName:
                self._learn(factory)
                plan = self._plans.find(typeName)
                if holder.typeName not in TYPED_STRUCTS:
                    return factory, holder.open()
                return factory, StructView(holder) if plan is None else self._openStruct(
                    holder, plan
                )
            if typeName and bare(getattr(factory, "typeURL", "")) == typeName:
                raise holder.error(_noRouteConfig(name, getattr(factory, "routeTypeURL", "")))
        if optional:
            holder.take()
            return None
        raise self._unknown(holder, name, typeName, category, owner)

    def _unknown(
        self, holder: AnyView | None, name: str, typeName: str, category: str, owner: Untyped
    ) -> ConfigError:
        where: Untyped = owner if holder is None else holder
        path = modulePath(typeName)
        homes = (f"{category}.", *_MORE_HOMES.get(category, ()))
        if self._plans.find(typeName) is not None and f"{path}.".startswith(homes):
            if holder is not None and holder.typeName == typeName:
                holder.open()  # a broken rule is the first thing that Envoy would say
            return UnsupportedExtension(
                where.path,
                f"known to Envoy {ENVOY_VERSION}, not implemented by twisted_envoy: {typeName}",
                where.position(),
            )
        missing = "Didn't find a registered implementation for"
        text = f"{missing} '{name}' with type URL: '{typeName}'"
        if category == "request_id":  # such an extension has no name
            text = f"{missing} type: '{typeName}'"
        found = self._installed.get(typeName)
        if found is not None:
            factory = self.factory(typeName)
            isUnsuited = factory is None
            why = found.unsuited(typeName) if isUnsuited else found.misplaced(factory, category)
            text = f"{text} ({why})"
        return ConfigError(where.path, text, where.position())

    def _openStruct(self, holder: AnyView, plan: MessagePlan) -> View:
        """Decode the Struct of a TypedStruct as the message it stands for."""
        content = holder.record.content
        assert content is not None
        if holder.record.opened and isinstance(content.view, View):
            return content.view
        holder.record.opened = True
        entry = content.entries.get("value")
        markRead(content, "type_url")
        markRead(content, "value")
        if entry is None or entry[1] is None:
            record, unit = (
                Record(plan, plan.make(), None, content, "value", None, content.source),
                None,
            )
        else:
            record, unit = decodeNode(
                entry[1], plan, content.source, self.findType, parent=content, name="value"
            )
            content.entries["value"] = (entry[0], entry[1], record)
        if unit is not None:
            validate(record, unit, content.source.warnings)
        view: View = viewOf(record)
        content.view = view
        return view


def _noRouteConfig(name: str, routeType: str) -> str:
    if routeType:
        return f"Unable to unpack as {bare(routeType)}"
    return f"The filter {name} doesn't support virtual host or route specific configurations"


def _innerType(holder: AnyView) -> str:
    """Return the type that an Any stands for: that of the TypedStruct inside, if it is one."""
    name = holder.typeName
    content = holder.record.content
    if name in TYPED_STRUCTS and content is not None:
        return bare(content.message.type_url)  # type: ignore[attr-defined]
    return name


def isOf(category: str, factory: Untyped, typeName: str) -> bool:
    """May a factory stand where `category` is wanted?"""
    own = getattr(factory, "category", None)
    if own is None:
        return f"{modulePath(typeName)}.".startswith(f"{category}.")
    return category in ((own,) if isinstance(own, str) else tuple(own))
