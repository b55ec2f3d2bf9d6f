"""
The validation rules that stand in the schema, and the words of Envoy when one is broken.

Envoy checks the bootstrap once, without the contents of its Anys, and each Any's content when the
extension that it names unpacks it.  So do we: `validate` looks at one such unit.

Envoy: MessageUtil::validate and the C++ code of protoc-gen-validate
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any as Untyped
from typing import TypeAlias

from twisted_envoy.config.fields import LIST, MAP, Field, MapField, MessageField
from twisted_envoy.config.plan import MessagePlan
from twisted_envoy.config.record import Record, Unit
from twisted_envoy.config.rule_tests import Test, listTests, mapTests, testsOf
from twisted_envoy.errors import ConfigError

_EMBEDDED = "embedded message failed validation"
_DOCS = "https://www.envoyproxy.io/docs/envoy/latest"
_SEE = (
    f"Please see {_DOCS}/version_history/version_history for details. If continued use of this "
    f"field is absolutely necessary, see {_DOCS}/configuration/operations/runtime"
    "#using-runtime-overrides-for-deprecated-features for how to apply a temporary and highly "
    "discouraged override."
)
_DEPRECATED = (
    "type {} Using deprecated option '{}' from file {}. This configuration will be removed from "
    f"Envoy soon. {_SEE}"
)
_OLD_VALUE = (
    "type {} Using {}deprecated value {} for enum '{}' from file {}. This enum value will be "
    f"removed from Envoy soon{{}}. {_SEE}"
)


class Breach(Exception):
    """
    A broken rule on its way up.

    Attributes:
        text: Envoy's chain so far, innermost last.
        record, field: where.
    """

    def __init__(self, text: str, record: Record, field: str) -> None:
        super().__init__(text)
        self.text = text
        self.record = record
        self.field = field


Check: TypeAlias = Callable[[Record], None]


def validate(record: Record, unit: Unit, warnings: list[ConfigError], early: bool = False) -> None:
    """
    Check one unit as Envoy does: deprecated fields, then durations, then rules.

    Args:
        early: whether this is the bootstrap itself.  Envoy reads it before its runtime exists,
            and without a runtime it refuses nothing for being deprecated.
        warnings: gets one for each deprecated field that is still allowed.
    Raises:
        ConfigError: the first thing wrong.
    """
    _checkDeprecated(unit, warnings, early)
    for holder, name, text in unit.durations:
        raise holder.error(text, name)
    try:
        checkRules(record)
    except Breach as breach:
        raise breach.record.error(
            f"Proto constraint validation failed ({breach.text})", breach.field
        ) from None


def _checkDeprecated(unit: Unit, warnings: list[ConfigError], early: bool) -> None:
    for holder in unit.suspects:
        for name, numbers in holder.plan.oldValues.items():
            number = getattr(holder.message, name)
            if number in numbers:
                text = _oldValueText(holder, name, number)
                _judge(holder, name, text, numbers[number] and not early, warnings)
    for holder, field in unit.deprecated:
        owner = holder.plan.descriptor
        file = owner.file.name.rpartition("/")[2]
        text = _DEPRECATED.format(owner.full_name, f"{owner.full_name}.{field.name}", file)
        _judge(holder, field.name, text, field.disallowed and not early, warnings)


def _judge(
    record: Record, name: str, text: str, refused: bool, warnings: list[ConfigError]
) -> None:
    if refused:
        raise record.error(text, name)
    warnings.append(record.error(f"Deprecated field: {text}", name))


def _oldValueText(record: Record, name: str, number: int) -> str:
    owner = record.plan.descriptor
    field = owner.fields_by_name[name]
    unset = not record.message.HasField(name) if field.has_presence else number == 0
    assert field.enum_type is not None
    return _OLD_VALUE.format(
        owner.full_name,
        "the default now-" if unset else "",
        field.enum_type.values_by_number[number].name,
        f"{owner.full_name}.{name}",
        owner.file.name.rpartition("/")[2],
        " so a non-default value must now be explicitly set" if unset else "",
    )


def checkRules(record: Record) -> None:
    """
    Check the rules of a message and of all messages below it, but not inside of Anys.

    Raises:
        Breach: the first that is broken, in the order of Envoy's generated code.
    """
    checks = record.plan.checks
    if checks is None:
        checks = record.plan.checks = compileChecks(record.plan)
    for check in checks:
        check(record)


def camel(name: str) -> str:
    """Return a field's name as Envoy's generated code writes it: `stat_prefix` -> `StatPrefix`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def compileChecks(plan: MessagePlan) -> tuple[Check, ...]:
    """Return the checks of one message type: its fields in order, then its oneofs."""
    schema = plan.plans.schema
    options = schema.messageOptions(plan.descriptor)
    if plan.kind != "message" or options.disabled or options.ignored:
        return ()
    fields = plan.uniqueFields()
    plain = [field for field in fields if field.descriptor.containing_oneof is None]
    checks: list[Check] = []
    for field in plain:
        checks += _fieldChecks(plan, field)
    for oneof in plan.descriptor.oneofs:
        members = {member.name for member in oneof.fields}
        branches = {
            field.name: _fieldChecks(plan, field) for field in fields if field.name in members
        }
        required = schema.oneofRequired(oneof)
        if required or any(branches.values()):
            checks.append(_oneofCheck(oneof.name, branches, required))
    return tuple(checks)


def _oneofCheck(name: str, branches: dict[str, list[Check]], required: bool) -> Check:
    def check(record: Record) -> None:
        chosen = record.message.WhichOneof(name)
        if chosen is not None:
            for one in branches[chosen]:
                one(record)
        elif required:
            raise Breach(f'field: "{name}", reason: is required', record, "")

    return check


def _fieldChecks(plan: MessagePlan, field: Field) -> list[Check]:
    """Return the checks of one field: its own rules, then those of the messages in it."""
    rules = plan.plans.schema.fieldOptions(field.descriptor).rules
    prefix = f"{plan.name}ValidationError.{camel(field.name)}"
    checks: list[Check] = []
    if field.form is LIST:
        checks += _listChecks(field, rules, prefix)
    elif field.form is MAP:
        checks += _mapChecks(field, rules, prefix)
    else:
        for test in testsOf(field.descriptor, rules):
            checks.append(_singleCheck(field.name, test, prefix))
        if rules.message.skip:
            return checks
        if isinstance(field, MessageField) and field.kind == "message":
            checks.append(_messageCheck(field.name, prefix))
    return checks


def _singleCheck(name: str, test: Test, prefix: str) -> Check:
    def check(record: Record) -> None:
        problem = test(record.message, getattr(record.message, name))
        if problem:
            raise Breach(f"{prefix}: {problem}", record, name)

    return check


def _messageCheck(name: str, prefix: str) -> Check:
    def check(record: Record) -> None:
        entry = record.entries.get(name)
        if entry is not None:
            _checkBelow(entry[2], prefix)

    return check


def _checkBelow(below: Untyped, prefix: str) -> None:
    try:
        checkRules(below)
    except Breach as breach:
        breach.text = f"{prefix}: {_EMBEDDED} | caused by {breach.text}"
        raise


def _listChecks(field: Field, rules: Untyped, prefix: str) -> list[Check]:
    name = field.name
    whole, each = listTests(field.descriptor, rules)
    deep = isinstance(field, MessageField) and field.kind == "message"
    deep = deep and not rules.repeated.items.message.skip

    def check(record: Record) -> None:
        values = getattr(record.message, name)
        for test in whole:
            problem = test(record.message, values)
            if problem:
                at = problem.partition("\0")
                raise Breach(f"{prefix}{at[2]}: {at[0]}", record, name)
        for test in each:
            for index, value in enumerate(values):
                problem = test(value, value)
                if problem:
                    raise Breach(f"{prefix}[{index}]: {problem}", record, name)

    def descend(record: Record) -> None:
        entry = record.entries.get(name)
        if entry is not None and entry[2]:
            for index, below in enumerate(entry[2]):  # type: ignore[arg-type]
                _checkBelow(below, f"{prefix}[{index}]")

    return [*([check] if whole or each else []), *([descend] if deep else [])]


def _mapChecks(field: Field, rules: Untyped, prefix: str) -> list[Check]:
    name = field.name
    assert isinstance(field, MapField)
    whole, keys, values = mapTests(field.descriptor, rules)
    value = field.value
    deep = isinstance(value, MessageField) and value.kind == "message"

    def check(record: Record) -> None:
        container = getattr(record.message, name)
        for test in whole:
            problem = test(record.message, container)
            if problem:
                raise Breach(f"{prefix}: {problem}", record, name)
        for key in container:
            for tests, one in ((keys, key), (values, container[key])):
                for test in tests:
                    problem = test(one, one)
                    if problem:
                        raise Breach(f"{prefix}[{key}]: {problem}", record, name)

    def descend(record: Record) -> None:
        entry = record.entries.get(name)
        if entry is not None and entry[2]:
            for key, below in entry[2].items():  # type: ignore[union-attr]
                _checkBelow(below, f"{prefix}[{key}]")

    return [*([check] if whole or keys or values else []), *([descend] if deep else [])]
