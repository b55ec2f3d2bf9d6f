"""Tests of twisted_envoy.config.extensions."""

import sys
from collections.abc import Iterable
from importlib import metadata
from types import ModuleType, SimpleNamespace
from typing import Any

from google.protobuf import descriptor_pb2
from twisted.trial.unittest import SynchronousTestCase

from tests.config.support import TCP_PROXY, load, view
from twisted_envoy.config import extensions as module
from twisted_envoy.config.bootstrap import loadBootstrap
from twisted_envoy.config.extensions import (
    Extensions,
    StructView,
    buildFilter,
    buildWith,
    filterType,
    isOf,
    modulePath,
    openFilter,
)
from twisted_envoy.config.plan import Plans
from twisted_envoy.config.schema import Schema
from twisted_envoy.config.unread import reportUnread, unread
from twisted_envoy.errors import ConfigError, UnsupportedExtension

HOLDER = "envoy.config.core.v3.TypedExtensionConfig"
UDP_PROXY = "stat_prefix: x, cluster: c"
NAME = TCP_PROXY.partition("/")[2]
XDS = "type.googleapis.com/xds.type.v3.TypedStruct"
UDPA = "type.googleapis.com/udpa.type.v1.TypedStruct"


class Factory:
    """A factory of nothing."""

    def __init__(self, typeURL: str, **more: object) -> None:
        self.typeURL = typeURL
        self.__dict__.update(more)


def holder(config: str, name: str = "x") -> Any:
    return view(f"name: {name}\ntyped_config: {config}", HOLDER)


def acme(message: str = "Widget") -> bytes:
    """Return the descriptors of a third party's message."""
    files = descriptor_pb2.FileDescriptorSet()
    file = files.file.add(name=f"acme/{message}.proto", package="acme", syntax="proto3")
    file.message_type.add(name=message).field.add(name="size", number=1, type=13, label=1)
    return files.SerializeToString()


class PathTests(SynchronousTestCase):
    """Where the factory of a type is looked for."""

    def test_rule(self) -> None:
        """`envoy.` and the version go, and so does the message's name."""
        for typeName, path in (
            (NAME, "filters.network.tcp_proxy"),
            ("envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "upstreams.http"),
            ("envoy.config.trace.v3.ZipkinConfig", "config.trace"),
            ("envoy.type.matcher.v3.RegexMatcher", "type.matcher"),
            ("xds.type.matcher.v3.Matcher", "xds.type.matcher"),
            ("envoy.extensions.x.v3alpha.Y.Z", "x"),
            ("twisted_envoy.extensions.filters.network.own.v1.Own", "filters.network.own"),
            ("google.protobuf.Struct", ""),
            ("", ""),
        ):
            self.assertEqual(modulePath(typeName), path)

    def test_missingModulesAreNoError(self) -> None:
        """A module that is not there is not there; one that cannot be imported is an error."""
        self.assertIsNone(module._importIfThere("twisted_envoy.extensions.nowhere.at_all"))
        bad = ModuleType("broken")
        self.patch(module, "import_module", lambda name: __import__("nonexistent_dependency"))
        self.assertRaises(ModuleNotFoundError, module._importIfThere, "twisted_envoy.x")
        del bad


class FindingTests(SynchronousTestCase):
    """From type URL to factory."""

    def builtIn(self, path: str, factories: Iterable[object]) -> None:
        """Put a module where the rule will look for it."""
        made = ModuleType(f"twisted_envoy.extensions.{path}")
        made.factories = tuple(factories)  # type: ignore[attr-defined]
        self.patch(
            module,
            "_importIfThere",
            lambda name: made if name == made.__name__ else None,
        )

    def points(self, **named: object) -> None:
        """Install entry points."""
        made = [
            SimpleNamespace(name=name.replace("__", "."), load=lambda value=value: value)
            for name, value in named.items()
        ]
        self.patch(metadata, "entry_points", lambda group: made)

    def test_byRule(self) -> None:
        """The module's factory whose type matches; asked for once."""
        other, wanted = Factory("envoy.other.v3.X"), Factory(TCP_PROXY)
        self.builtIn("filters.network.tcp_proxy", [other, wanted])
        extensions = Extensions()
        self.assertIs(extensions.factory(TCP_PROXY), wanted)
        self.builtIn("nothing", [])
        self.assertIs(extensions.factory(NAME), wanted)
        self.assertIsNone(extensions.factory("envoy.extensions.x.v3.Y"))

    def test_entryPoints(self) -> None:
        """An entry point may be a factory, a list of them, or a module."""
        factory = Factory("acme.Widget", category="filters.network")
        made = ModuleType("acme")
        made.factories = (factory,)  # type: ignore[attr-defined]
        for value in (factory, [factory], made):
            self.points(acme__Widget=value, acme__Other=None)
            self.assertIs(Extensions().factory("h/acme.Widget"), factory)
        self.points(acme__Widget=Factory("acme.Else"))
        self.assertIsNone(Extensions().factory("acme.Widget"))

    def test_brokenEntryPoint(self) -> None:
        """A package that is there and cannot be used is told of where its type is named."""

        def load() -> object:
            raise ModuleNotFoundError("No module named 'acme_missing'")

        dist = SimpleNamespace(name="acme-gadgets")
        point = SimpleNamespace(name="acme.Gadget", value="acme:factory", load=load, dist=dist)
        self.patch(metadata, "entry_points", lambda group: [point])
        what = (
            "(entry point 'acme.Gadget = acme:factory' of package acme-gadgets cannot be loaded: "
            "ModuleNotFoundError: No module named 'acme_missing')"
        )
        config = holder(f"{{'@type': {XDS}, type_url: h/acme.Gadget}}")
        error = self.assertRaises(ConfigError, Extensions().open, config, "filters.network")
        words = "Didn't find a registered implementation for 'x' with type URL: 'acme.Gadget'"
        self.assertEqual(error.problem, f"{words} {what}")
        self.assertEqual(str(error.position), "t.yaml:2:15")
        text = "bootstrap_extensions: [{name: a, typed_config: {'@type': h/acme.Gadget}}]"
        find = Extensions().findType
        error = self.assertRaises(ConfigError, loadBootstrap, (), text, find)
        self.assertIn(f"could not find @type 'h/acme.Gadget' {what}", str(error))
        self.assertTrue(str(error).startswith("--config-yaml:1:48: "), error)

    def test_factoryThatDoesNotFit(self) -> None:
        """An entry point was found, and its factory has another type, or no place here."""
        config = holder(f"{{'@type': {XDS}, type_url: h/acme.Widget}}")
        found = "(entry point 'acme.Widget = ?' was found, but "
        for value, words in (
            (
                Factory("acme.Else"),
                "no factory of acme.Widget: Factory has the typeURL 'acme.Else')",
            ),
            (SimpleNamespace(), "no factory of acme.Widget: SimpleNamespace has no typeURL)"),
            ([], "has no factories)"),
            (
                Factory("acme.Widget"),
                "Factory has no category: 'filters.network' is wanted here)",
            ),
            (
                Factory("acme.Widget", category="filters.http"),
                "Factory is of category 'filters.http': 'filters.network' is wanted here)",
            ),
        ):
            self.points(acme__Widget=value)
            error = self.assertRaises(ConfigError, Extensions().open, config, "filters.network")
            self.assertTrue(error.problem.endswith(found + words), error.problem)

    def test_factoryThatIsNotSaidToBeTerminal(self) -> None:
        """A filter's factory must say whether it ends its chain."""
        factory = Factory("acme.Widget", category="filters.network")
        text = f"name: x\ntyped_config: {{'@type': {XDS}, type_url: h/acme.Widget}}"
        config = view(text, "envoy.config.listener.v3.Filter")
        context = SimpleNamespace(extensions=Extensions(extra=[factory]))
        error = self.assertRaises(ConfigError, openFilter, config, context, "network", True)
        self.assertIn("acme.Widget does not say whether it is terminal", str(error))

    def test_typesOfFilters(self) -> None:
        """Envoy's types are shown as Envoy shows them, others whole."""
        for url, shown in (
            ("envoy.extensions.filters.network.echo.v3.Echo", "envoy.filters.network.echo"),
            ("example.upper.v1.Upper", "example.upper.v1.Upper"),
            ("type.googleapis.com/example.Upper", "example.Upper"),
        ):
            self.assertEqual(filterType(url), shown)

    def test_ownTypesBeforeDecoding(self) -> None:
        """A type that only an installed package knows is made known while decoding."""
        factory = Factory("acme.Gadget", descriptors=acme("Gadget"), category="bootstrap")
        self.points(acme__Gadget=factory)
        extensions = Extensions()
        text = "bootstrap_extensions: [{name: a, typed_config: {'@type': h/acme.Gadget, size: 5}}]"
        read, _ = loadBootstrap(yamlText=text, findMore=extensions.findType)
        found, config = extensions.open(read.bootstrap_extensions[0], "bootstrap")
        self.assertIs(found, factory)
        self.assertEqual(
            [one.problem for one in reportUnread(config)],
            ["'size' (uint32) is set, and the factory of acme.Gadget never read it"],
        )
        self.assertEqual(config.size, 5)
        text = text.replace("size: 5", "size: x")
        error = self.assertRaises(ConfigError, loadBootstrap, (), text, extensions.findType)
        self.assertIn("<any>.size: uint32: invalid number: 'x'", str(error))
        text = text.replace("Gadget", "Nothing")
        error = self.assertRaises(ConfigError, loadBootstrap, (), text, extensions.findType)
        self.assertIn("could not find @type 'h/acme.Nothing'", str(error))

    def test_schemaOfItsOwn(self) -> None:
        """Extra factories' messages go into the Schema that was given."""
        plans = Plans(Schema())
        Extensions(plans, [Factory("acme.Widget", descriptors=acme())])
        self.assertIsNotNone(plans.find("acme.Widget"))


class OpeningTests(SynchronousTestCase):
    """What a config names, opened."""

    def setUp(self) -> None:
        self.factory = Factory(NAME, category="filters.network")
        self.extensions = Extensions(extra=[self.factory])

    def open(self, config: Any, category: str = "filters.network") -> Any:
        return self.extensions.open(config, category)

    def refused(self, config: Any, category: str = "filters.network") -> ConfigError:
        return self.assertRaises(ConfigError, self.open, config, category)

    def test_typed(self) -> None:
        """The factory and the View of its config."""
        config = holder(f"{{'@type': {TCP_PROXY}, stat_prefix: p, cluster: c}}")
        found, opened = self.open(config)
        self.assertIs(found, self.factory)
        self.assertEqual(opened.stat_prefix, "p")

    def test_rulesAreChecked(self) -> None:
        """Opening checks the rules of the content."""
        error = self.refused(holder(f"{{'@type': {TCP_PROXY}, cluster: c}}"))
        self.assertIn("TcpProxyValidationError.StatPrefix", str(error))

    def test_typedStruct(self) -> None:
        """A TypedStruct of a known type is decoded as that type, with places and paths."""
        for url in (XDS, UDPA):
            config = holder(
                f"\n  '@type': {url}\n  type_url: {TCP_PROXY}\n"
                "  value: {stat_prefix: p, cluster: c, idle_timeout: 5s}"
            )
            _, opened = self.open(config)
            self.assertEqual((opened.stat_prefix, opened.idle_timeout), ("p", 5.0))
            self.assertIs(self.open(config)[1], opened)
            self.assertEqual(opened.path, "typed_config.value")
            paths = [one.path for one in unread(config)]
            self.assertIn("typed_config.value.cluster", paths)
            self.assertNotIn("typed_config.value", paths)

    def test_typedStructErrors(self) -> None:
        """Its errors start at its own type, as in Envoy, behind the whole path."""
        for value, words in (
            (
                "{stat_prefix: p, cluster: c, bad: 1}",
                f"typed_config.value: Protobuf message (type {NAME} reason INVALID_ARGUMENT: "
                f"invalid JSON in {NAME}: no such field: 'bad') has unknown fields",
            ),
            (
                "{stat_prefix: 5}",
                "typed_config.value.stat_prefix: Unable to parse JSON as proto (INVALID_ARGUMENT: "
                f"invalid JSON in {NAME} @ stat_prefix: string: unexpected character: '5'",
            ),
            ("{stat_prefix: p}", '(field: "cluster_specifier", reason: is required)'),
        ):
            config = holder(f"{{'@type': {XDS}, type_url: {TCP_PROXY}, value: {value}}}")
            self.assertIn(words, str(self.refused(config)))

    def test_typedStructWithoutValue(self) -> None:
        """Without a value the message is empty."""
        name = "envoy.extensions.filters.network.echo.v3.Echo"
        extensions = Extensions(extra=[Factory(name, category="filters.network")])
        config = holder(f"{{'@type': {XDS}, type_url: h/{name}}}")
        _, opened = extensions.open(config, "filters.network")
        self.assertEqual(opened.typeName, name)

    def test_typedStructOfNoMessage(self) -> None:
        """A type that only a factory knows gets a dict with its place."""
        factory = Factory("acme.Gizmo", category="filters.network")
        extensions = Extensions(extra=[factory])
        config = holder(f"{{'@type': {XDS}, type_url: h/acme.Gizmo, value: {{a: 1}}}}")
        found, opened = extensions.open(config, "filters.network")
        self.assertIs(found, factory)
        self.assertIsInstance(opened, StructView)
        self.assertEqual((opened.value, opened.path), ({"a": 1}, "typed_config"))
        self.assertIn("typed_config: a: is odd", str(opened.error("is odd", "a")))
        self.assertIn("typed_config: is odd", str(opened.error("is odd")))
        opened.warn("is old", "a")
        opened.warn("is old")

    def test_typedStructReadInPart(self) -> None:
        """A key that the factory never asks for is unread, at its own line."""
        extensions = Extensions(extra=[Factory("acme.Gizmo", category="filters.network")])
        value = "{a: 1,\n  b: [0, {c: 2,\n d: 3}], e: 4}"
        config = holder(f"{{'@type': {XDS}, type_url: h/acme.Gizmo, value: {value}}}")
        _, opened = extensions.open(config, "filters.network")
        self.assertEqual((opened.value["a"], opened.value["b"][1]["c"]), (1, 2))

        errors = [one for one in reportUnread(config) if one.path.startswith("typed_config.")]

        self.assertEqual(
            [(one.path, one.position and one.position.line) for one in errors],
            [("typed_config.value.b[1].d", 4), ("typed_config.value.e", 4)],
        )
        self.assertIn("'d' (of a TypedStruct) is set, and the factory of acme", str(errors[0]))

    def test_typedStructNobodyReads(self) -> None:
        """A TypedStruct whose value the factory never looks at is unread, at its line."""
        extensions = Extensions(extra=[Factory("acme.Gizmo", category="filters.network")])
        config = holder(f"{{'@type': {XDS}, type_url: h/acme.Gizmo, value: {{a: 1}}}}")
        _, opened = extensions.open(config, "filters.network")

        (before,) = [one for one in unread(config) if one.path == "typed_config"]
        (error,) = [one for one in reportUnread(config) if one.path == "typed_config"]
        self.assertEqual(opened.value, {"a": 1})
        after = [one.path for one in unread(config)]

        self.assertEqual(before.kind, "message xds.type.v3.TypedStruct")
        self.assertEqual(before.owner, "acme.Gizmo")
        self.assertIn("is set, and the factory of acme.Gizmo never read it", str(error))
        assert before.position is not None
        self.assertEqual(before.position.line, 2)
        self.assertNotIn("typed_config", after)
        self.assertIs(opened.value, opened.value)

    def test_typedStructOfNothing(self) -> None:
        """Where nothing is set, nothing is unread."""
        extensions = Extensions(extra=[Factory("acme.Gizmo", category="filters.network")])
        config = holder(f"{{'@type': {XDS}, type_url: h/acme.Gizmo}}")
        _, opened = extensions.open(config, "filters.network")
        self.assertNotIn("typed_config", [one.path for one in unread(config)])
        self.assertEqual(opened.value, {})

    def test_notRegistered(self) -> None:
        """Envoy's words for what stands in the wrong place, or nowhere."""
        text = "Didn't find a registered implementation for 'x' with type URL: "
        router = "envoy.extensions.filters.http.router.v3.Router"
        for config, url in (
            ("{}", ""),
            ("null", ""),
            (f"{{'@type': h/{router}}}", router),
            ("{'@type': h/google.protobuf.Struct, value: {}}", "google.protobuf.Struct"),
            (f"{{'@type': {XDS}, type_url: h/acme.Nothing}}", "acme.Nothing"),
            (f"{{'@type': {XDS}}}", ""),
        ):
            read = load(
                "static_resources: {listeners: [{name: l, filter_chains: [{filters: "
                f"[{{name: x, typed_config: {config}}}]}}]}}]}}"
            )
            one = read.static_resources.listeners[0].filter_chains[0].filters[0]
            error = self.refused(one)
            self.assertEqual(error.problem, f"{text}'{url}'")
            self.assertNotIsInstance(error, UnsupportedExtension)
            assert error.position is not None
        self.refused(holder(f"{{'@type': {TCP_PROXY}}}"), "filters.http")

    def test_knownToEnvoyElsewhere(self) -> None:
        """Some extensions of a category are in another of Envoy's packages."""
        for name, category, fields in (
            ("filters.udp.udp_proxy.v3.UdpProxyConfig", "filters.listener", UDP_PROXY),
            ("network.socket_interface.v3.DefaultSocketInterface", "bootstrap", ""),
            ("wasm.v3.WasmService", "bootstrap", ""),
        ):
            config = holder(f"{{'@type': h/envoy.extensions.{name}, {fields}}}")
            self.assertRaises(UnsupportedExtension, Extensions().open, config, category)
            error = self.assertRaises(ConfigError, Extensions().open, config, "filters.network")
            self.assertNotIsInstance(error, UnsupportedExtension)

    def test_knownToEnvoyOnly(self) -> None:
        """What Envoy has in this place and we have not is said so."""
        echo = "envoy.extensions.filters.network.wasm.v3.Wasm"
        error = self.assertRaises(
            UnsupportedExtension, self.open, holder(f"{{'@type': h/{echo}, config: {{}}}}")
        )
        self.assertEqual(
            str(error),
            "t.yaml:2:15: typed_config: known to Envoy 1.40, not implemented by twisted_envoy: "
            + echo,
        )

    def test_withoutTypedConfig(self) -> None:
        """A message that has no typed_config at all names nothing."""
        error = self.refused(SimpleNamespace(name="x", path="p", position=lambda: None))
        self.assertIn("with type URL: ''", str(error))

    def test_categories(self) -> None:
        """A factory may name its categories, or leave it to its module's path."""
        self.assertTrue(isOf("a", Factory("x", category="a"), "x"))
        self.assertTrue(isOf("a", Factory("x", category=("b", "a")), "x"))
        self.assertFalse(isOf("c", Factory("x", category=("b", "a")), "x"))
        self.assertTrue(isOf("filters.network", Factory(NAME), NAME))
        self.assertFalse(isOf("filters.net", Factory(NAME), NAME))

    def test_nothingIsImportedThatNobodyNames(self) -> None:
        """Loading a bootstrap imports no extension."""
        before = {name for name in sys.modules if name.startswith("twisted_envoy.extensions")}
        load(f"bootstrap_extensions: [{{name: a, typed_config: {{'@type': {TCP_PROXY}}}}}]")
        after = {name for name in sys.modules if name.startswith("twisted_envoy.extensions")}
        self.assertEqual(before, after)


class BuildWithTests(SynchronousTestCase):
    """Factories that raise."""

    def test_raises(self) -> None:
        """A ConfigError passes; anything else is one that names the factory and the place."""

        class Owner:
            def error(self, problem: str) -> ConfigError:
                return ConfigError("here", problem)

        class Factory:
            typeURL = "example.v1.Broken"

            def __init__(self, problem: Exception) -> None:
                self.problem = problem

            def build(self, config: object, context: object) -> object:
                raise self.problem

        own = ConfigError("there", "own")
        self.assertIs(
            self.assertRaises(ConfigError, buildWith, Factory(own), None, None, Owner()), own
        )
        problem = self.assertRaises(
            ConfigError, buildWith, Factory(KeyError("word")), None, None, Owner()
        )
        self.assertEqual(
            str(problem), "here: the factory of example.v1.Broken raised KeyError: 'word'"
        )

    def test_nothingMade(self) -> None:
        """A filter's factory must make something that makes filters."""

        class Owner:
            def error(self, problem: str) -> ConfigError:
                return ConfigError("here", problem)

        class Factory:
            typeURL = "example.v1.Broken"

            def __init__(self, made: object) -> None:
                self.made = made

            def build(self, config: object, context: object) -> object:
                return self.made

        self.assertIs(buildFilter(Factory(dict), None, None, Owner()), dict)
        for made, name in ((None, "None"), ({}, "a dict")):
            problem = self.assertRaises(
                ConfigError, buildFilter, Factory(made), None, None, Owner()
            )
            self.assertEqual(
                str(problem),
                f"here: build of the factory of example.v1.Broken returned {name}, not a callable "
                "that makes a filter",
            )
