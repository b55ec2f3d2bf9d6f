"""
Which fields of which messages does the code read?

Views are plain objects whose attributes are fields, so their types are known only while the program
runs. Here the source is interpreted without running it: beginning where a message comes in (a
factory's `build`, `buildServer`), each expression is followed that has a message in it, through
assignments, loops, calls, methods and tables of functions. Branches are all taken.

What it cannot follow it leaves out: a field that is read in a way unknown here is missing in the
result, never invented.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.config_values import (
    NOTHING,
    Code,
    Instance,
    Message,
    Module,
    Reads,
    SomeField,
    Table,
    Text,
    Values,
    belowOf,
)
from twisted_envoy.config.view import RESERVED

SAME = frozenset(
    ("enumerate", "tuple", "list", "sorted", "reversed", "cast", "zip", "next", "iter", "dict")
)
_ROUNDS = 3


class Interpreter:
    """
    Follows messages through the code.

    Args:
        root: the folder that `twisted_envoy` is in.
        roots: function name -> message type that it returns.

    Attributes:
        modules: by name; None for those that are not ours.
    """

    def __init__(self, root: Path, roots: dict[str, Any]) -> None:
        self.reads = Reads()
        self._root = root
        self._roots = roots
        self.modules: dict[str, Module | None] = {}
        self._attributes: dict[tuple[str, str], Values] = defaultdict(frozenset)
        self._results: dict[object, Values] = {}

    def run(self, entries: Iterable[tuple[str, str, Any]]) -> Reads:
        """
        Interpret `module`, `function` or `Class.method`, message type of its first argument.

        Repeats until nothing new is found: attributes may be set after they were looked at.
        """
        entries = list(entries)
        for _ in range(_ROUNDS):
            self._results.clear()
            for moduleName, name, plan in entries:
                module = self.module(moduleName)
                assert module is not None, moduleName
                own, _, method = name.rpartition(".")
                if own:
                    code = self.method(Code(module, module.top[own]), method)
                    assert code is not None
                else:
                    code = Code(module, module.top[name])
                self.call(code, [frozenset((Message(plan),)) if plan else NOTHING], {})
        return self.reads

    def module(self, name: str) -> Module | None:
        """A module of ours by its dotted name; None for others."""
        if name not in self.modules:
            path = self._root.joinpath(*name.split("."))
            file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            ours = name.startswith("twisted_envoy") and file.exists()
            self.modules[name] = Module(name, file.read_text("utf-8")) if ours else None
        return self.modules[name]

    def lookUp(self, module: Module, name: str) -> Values:
        """What a module knows by a name."""
        if name in module.top:
            node = module.top[name]
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                return frozenset((Code(module, node),))
            return Frame(self, module, {}).value(node)
        if name in module.imports:
            source, original = module.imports[name]
            other = self.module(source)
            if other is not None and other is not module:
                return self.lookUp(other, original)
        return NOTHING

    def method(self, owner: Code, name: str) -> Code | None:
        """A method of a class of ours."""
        assert isinstance(owner.node, ast.ClassDef)
        for node in owner.node.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return Code(owner.module, node, owner)
        return None

    def call(self, code: Code, arguments: list[Values], keywords: dict[str, Values]) -> Values:
        """What a function returns, or the object that a class makes."""
        node = code.node
        if isinstance(node, ast.ClassDef):
            init = self.method(code, "__init__")
            if init is not None:
                self.call(init, arguments, keywords)
            else:
                fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
                names = [one.target.id for one in fields if isinstance(one.target, ast.Name)]
                for name, values in (*zip(names, arguments, strict=False), *keywords.items()):
                    self.setAttribute(code, name, values)
            return frozenset((Instance(code),))
        assert isinstance(node, (ast.FunctionDef, ast.Lambda))
        parameters = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
        scope: dict[str, Values] = {}
        if code.own is not None and parameters:
            scope[parameters.pop(0)] = frozenset((Instance(code.own),))
        scope.update(zip(parameters, arguments, strict=False))
        scope.update(keywords)
        scope = {name: values for name, values in scope.items() if values}
        key = (code, frozenset(scope.items()))
        if key not in self._results:
            self._results[key] = NOTHING
            self._results[key] = Frame(self, code.module, scope).body(node)
        return self._results[key]

    def attribute(self, owner: Code, name: str) -> Values:
        """What an object's attribute may be."""
        method = self.method(owner, name)
        if method is not None:
            return frozenset((method,))
        assert isinstance(owner.node, ast.ClassDef)
        return self._attributes[(f"{owner.module.name}.{owner.node.name}", name)]

    def setAttribute(self, owner: Code, name: str, values: Values) -> None:
        """It may also be these."""
        assert isinstance(owner.node, ast.ClassDef)
        self._attributes[(f"{owner.module.name}.{owner.node.name}", name)] |= values

    def rootOf(self, name: str) -> Values:
        """The message that a function of that name brings in."""
        plan = self._roots.get(name)
        return frozenset((Message(plan),)) if plan else NOTHING


class Frame:
    """The interpretation of one function's body."""

    def __init__(self, interpreter: Interpreter, module: Module, scope: dict[str, Values]) -> None:
        self._interpreter = interpreter
        self._module = module
        self._scope = scope
        self._returned: Values = NOTHING

    def body(self, node: ast.FunctionDef | ast.Lambda) -> Values:
        """Interpret it, twice because of loops."""
        if isinstance(node, ast.Lambda):
            return self.value(node.body)
        for _ in range(2):
            for statement in node.body:
                self._statement(statement)
        return self._returned

    def _statement(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef):
            self._bind(ast.Name(node.name), frozenset((Code(self._module, node),)))
            for statement in node.body:
                self._statement(statement)
        elif isinstance(node, ast.Return):
            if node.value is not None:
                self._returned |= self.value(node.value)
        elif isinstance(node, ast.Assign):
            values = self.value(node.value)
            for target in node.targets:
                self._bind(target, values)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            if node.value is not None:
                self._bind(node.target, self.value(node.value))
        elif isinstance(node, ast.For):
            self._bind(node.target, self.value(node.iter))
            for statement in (*node.body, *node.orelse):
                self._statement(statement)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child)
                else:
                    self._statement(child)

    def _bind(self, target: ast.AST, values: Values) -> None:
        if isinstance(target, ast.Name):
            self._scope[target.id] = self._scope.get(target.id, NOTHING) | values
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self._bind(part, values)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, values)
        elif isinstance(target, ast.Attribute):
            for owner in self.value(target.value):
                if isinstance(owner, Instance):
                    self._interpreter.setAttribute(owner.code, target.attr, values)

    # Expressions.

    def value(self, node: ast.AST) -> Values:
        """What an expression may be; notes what it reads."""
        if isinstance(node, ast.Name):
            return self._scope.get(node.id) or self._interpreter.lookUp(self._module, node.id)
        if isinstance(node, ast.Constant):
            return frozenset((Text(node.value),)) if isinstance(node.value, str) else NOTHING
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Lambda):
            self.value(node.body)
            return frozenset((Code(self._module, node),))
        if isinstance(node, ast.Dict):
            return self._table(node)
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            return self._comprehension(node)
        if isinstance(node, ast.Compare):
            self._compare(node)
            return NOTHING
        if isinstance(node, ast.NamedExpr):
            values = self.value(node.value)
            self._bind(node.target, values)
            return values
        found = NOTHING
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.expr, ast.keyword)):
                found |= self.value(child)
        if isinstance(node, ast.JoinedStr):
            return NOTHING
        return found

    def _compare(self, node: ast.Compare) -> None:
        for part in (node.left, *node.comparators):
            self.value(part)
        if isinstance(node.left, ast.Name) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            texts = frozenset(
                one for one in self.value(node.comparators[0]) if isinstance(one, Text)
            )
            if texts:  # the rest of the function is about these, or it is not reached
                self._scope[node.left.id] = texts

    def _table(self, node: ast.Dict) -> Values:
        items = []
        for key, value in zip(node.keys, node.values, strict=True):
            values = self.value(value)
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                items.append((key.value, values))
            elif key is not None:
                self.value(key)
        return frozenset((Table(tuple(items)),))

    def _comprehension(self, node: Any) -> Values:
        for generator in node.generators:
            self._bind(generator.target, self.value(generator.iter))
            for condition in generator.ifs:
                self.value(condition)
        if isinstance(node, ast.DictComp):
            return self.value(node.key) | self.value(node.value)
        return self.value(node.elt)

    def _attribute(self, node: ast.Attribute) -> Values:
        found = NOTHING
        for owner in self._resolved(self.value(node.value)):
            if isinstance(owner, Message):
                found |= self._read(owner.plan, node.attr)
            elif isinstance(owner, Instance):
                found |= self._interpreter.attribute(owner.code, node.attr)
        return found

    def _read(self, plan: Any, name: str) -> Values:
        """A field of a message, under its own name or with an underscore behind it."""
        known = plan.fields.get(name) or plan.fields.get(name.rstrip("_"))
        if known is None or name in RESERVED:
            return NOTHING
        self._interpreter.reads.fields[(plan.fullName, known.name)].add(self._module.name)
        below = belowOf(known)
        return NOTHING if below is None else frozenset((Message(below),))

    # Calls.

    def _call(self, node: ast.Call) -> Values:
        arguments = [self.value(argument) for argument in node.args]
        keywords = {one.arg: self.value(one.value) for one in node.keywords if one.arg}
        function = node.func
        if isinstance(function, ast.Name):
            root = self._interpreter.rootOf(function.id)
            if root:
                return root
            if function.id == "getattr":
                return self._getattr(arguments)
            if function.id in SAME:
                return NOTHING.union(*arguments) if arguments else NOTHING
            if function.id in ("partial", "map"):
                return self._callAll(arguments[0], arguments[1:], keywords)
        if isinstance(function, ast.Attribute):
            owners = self._resolved(self.value(function.value))
            messages = [owner for owner in owners if isinstance(owner, Message)]
            if messages:
                found = (self._viewMethod(one, function.attr, arguments) for one in messages)
                return NOTHING.union(*found)
            if function.attr in ("build", "open"):
                self._opens(arguments)
            if function.attr in ("get", "values", "items"):
                return self.value(function.value)
        return self._callAll(self.value(function), arguments, keywords)

    def _callAll(
        self, functions: Values, arguments: list[Values], keywords: dict[str, Values]
    ) -> Values:
        found = NOTHING
        for function in functions:
            if isinstance(function, Code):
                found |= self._interpreter.call(function, self._sure(arguments), keywords)
            elif isinstance(function, Table):
                for key, values in function.items:
                    for code in values:
                        if isinstance(code, Code):
                            given = [self._fieldFor(key, one) for one in arguments]
                            found |= self._interpreter.call(code, given, keywords)
        return found

    def _sure(self, arguments: list[Values]) -> list[Values]:
        return [self._resolved(values) for values in arguments]

    def _resolved(self, values: Values) -> Values:
        """Each field that it may be, where it does not matter which."""
        found = NOTHING
        for value in values:
            if isinstance(value, SomeField):
                for name in value.names:
                    found |= self._read(value.plan, name)
            else:
                found |= frozenset((value,))
        return found

    def _fieldFor(self, key: str, values: Values) -> Values:
        """In a table by field names a field that is not known has the name of its function."""
        found = NOTHING
        for value in values:
            if isinstance(value, SomeField):
                found |= self._read(value.plan, key)
            else:
                found |= frozenset((value,))
        return found

    def _getattr(self, arguments: list[Values]) -> Values:
        found = NOTHING
        names = frozenset(one.text for one in arguments[1] if isinstance(one, Text))
        for owner in arguments[0]:
            if isinstance(owner, Message):
                for name in names:
                    self._read(owner.plan, name)
                found |= frozenset((SomeField(owner.plan, names),))
        return found

    def _opens(self, arguments: list[Values]) -> None:
        """`context.build(view, ...)`: the name and what is configured are read."""
        for value in arguments[0] if arguments else NOTHING:
            if isinstance(value, Message) and "typed_config" in value.plan.fields:
                self._read(value.plan, "name")
                self._read(value.plan, "typed_config")

    def _viewMethod(self, owner: Message, method: str, arguments: list[Values]) -> Values:
        reads = self._interpreter.reads
        if method == "take":
            reads.whole.add(owner.plan.fullName)
        elif method == "moot":
            why = min((one.text for one in arguments[1] if isinstance(one, Text)), default="")
            for name in arguments[0]:
                if isinstance(name, Text) and name.text in owner.plan.fields:
                    key = (owner.plan.fullName, name.text)
                    reads.moot[key] = min(why, reads.moot.get(key, why))
        elif method == "which":
            oneofs = owner.plan.descriptor.oneofs_by_name
            return frozenset(
                Text(member.name)
                for one in arguments[0]
                if isinstance(one, Text) and one.text in oneofs
                for member in oneofs[one.text].fields
            )
        elif method in ("get", "values", "items", "keys"):
            return frozenset((owner,))
        return NOTHING
