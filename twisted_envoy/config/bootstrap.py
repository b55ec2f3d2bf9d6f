"""
A bootstrap, read in Envoy's order: decode all, merge, check.

Envoy: InstanceUtil::loadBootstrapConfig
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from twisted_envoy.config.collector import collectorPaused
from twisted_envoy.config.decode import Decoder, NotYAMLProblem
from twisted_envoy.config.load import COMMAND_LINE, Text, compose, readFile
from twisted_envoy.config.merge import mergeRecords
from twisted_envoy.config.nodes import Node, positionOf
from twisted_envoy.config.plan import MessagePlan, Plans
from twisted_envoy.config.problem import Problem
from twisted_envoy.config.record import Record, Source, Unit
from twisted_envoy.config.rules import validate
from twisted_envoy.config.schema import envoySchema
from twisted_envoy.config.view import View, viewOf
from twisted_envoy.errors import ConfigError

BOOTSTRAP = "envoy.config.bootstrap.v3.Bootstrap"
_NOTHING = (
    "At least one of --config-path or --config-yaml or Options::configProto() should be non-empty"
)


@lru_cache(maxsize=1)
def envoyPlans() -> Plans:
    """Return the one set of plans of this process's Schema."""
    return Plans(envoySchema())


def _nothingMore(_name: str) -> bool:
    return False


def decodeText(
    text: Text,
    plan: MessagePlan,
    warnings: list[ConfigError],
    findMore: Callable[[str], bool] = _nothingMore,
) -> tuple[Record, Unit]:
    """
    Decode a text into a message of a type.

    Args:
        warnings: gets what is odd but accepted: keys given twice.
        findMore: asked to make a message type known that the schema lacks.
    Raises:
        ConfigError: Envoy's words behind file, line, column and path.
    """
    node = compose(text)
    try:
        return decodeNode(node, plan, Source(text.file, warnings), findMore, text.isJSON)
    except ConfigError as error:
        if text.isJSON and not text.content.startswith(("{", "[")):
            # Envoy shows what it has parsed behind its words; here that helps.
            error.problem += f": {text.content[:200]}"
        raise


def decodeNode(
    node: Node,
    plan: MessagePlan,
    source: Source,
    findMore: Callable[[str], bool] = _nothingMore,
    isJSON: bool = False,
    parent: Record | None = None,
    name: str = "",
) -> tuple[Record, Unit]:
    """
    Decode a node; see decodeText.

    Args:
        parent, name: where the node stands, if it is not a text's root.
    """
    first: Problem | None = None
    for strict in (True, False):
        source = Source(source.file, source.warnings if strict else [])
        decoder = Decoder(plan.plans, source, strict, findMore, isJSON)
        record = Record(plan, plan.make(), node, parent, name, None, source)
        try:
            decoder.fields(record, node, 0)
        except Problem as problem:
            if not problem.soft:
                raise _configError(problem, record) from None
            first = problem
            continue
        if first is None:
            return record, decoder.unit
    assert first is not None
    raise _configError(first, record) from None


def _configError(problem: Problem, root: Record) -> ConfigError:
    """Put a Problem into Envoy's words, with our help behind them."""
    rootType, file = root.plan.fullName, root.source.file
    text = problem.envoyText(rootType)
    if isinstance(problem, NotYAMLProblem):
        text = problem.text
    elif problem.soft:
        text = f"Protobuf message (type {rootType} reason {text}) has unknown fields"
    else:
        text = f"Unable to parse JSON as proto ({text})"
    if problem.hint:
        text = f"{text} ({problem.hint})"
    position = positionOf(problem.node, file) if problem.node is not None else None
    return ConfigError(root.pathOf(problem.userPath()), text, position)


def loadBootstrap(
    paths: Sequence[str | Text] = (),
    yamlText: str | Text = "",
    findMore: Callable[[str], bool] = _nothingMore,
) -> tuple[View, list[ConfigError]]:
    """
    Read, merge and check a bootstrap.

    Later texts are merged into earlier ones: scalars overwritten, lists appended, messages merged.

    Args:
        paths: config files, in order; a Text is one that was read already.
        yamlText: the text of `--config-yaml`, merged last; a Text has another name in errors.
        findMore: see decodeText; `Extensions.findType` is one.
    Returns:
        The bootstrap's View, and warnings.
    Raises:
        ConfigError: the first thing that real Envoy would refuse before it builds anything.
    """
    plan = envoyPlans().find(BOOTSTRAP)
    assert plan is not None
    warnings: list[ConfigError] = []
    with collectorPaused():
        texts = [path if isinstance(path, Text) else readFile(path) for path in paths if path]
        if yamlText:
            if isinstance(yamlText, str):
                yamlText = Text(COMMAND_LINE, yamlText)
            texts.append(yamlText)
        if not texts:
            raise ConfigError("", _NOTHING)
        record, unit = decodeText(texts[0], plan, warnings, findMore)
        for text in texts[1:]:
            more, moreUnit = decodeText(text, plan, warnings, findMore)
            mergeRecords(record, more)
            unit.durations += moreUnit.durations
            unit.deprecated += moreUnit.deprecated
            unit.suspects += moreUnit.suspects
        validate(record, unit, warnings, early=True)
    return viewOf(record), warnings
