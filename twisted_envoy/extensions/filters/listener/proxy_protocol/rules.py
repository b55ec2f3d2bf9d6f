"""What becomes of the extensions of a header: metadata, or one filter state object."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Hashable, Iterable, Mapping

from twisted_envoy.state.stream_info import StreamInfo
from twisted_envoy.values import dataclass

NAMESPACE = "envoy.filters.listener.proxy_protocol"
"""Of metadata, where a rule names none."""
STATE = "envoy.network.proxy_protocol.tlv"
"""Where filter state has them."""

_INVALID = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class TLVRule:
    """Where the value of one type is put, and whether in base64 or as a text."""

    namespace: str
    key: str
    base64: bool

    def textOf(self, value: bytes) -> str:
        """The value; in a text `!` stands for what is no UTF-8."""
        if self.base64:
            return b64encode(value).decode()
        return _INVALID.sub("!", value.decode("utf-8", "surrogateescape"))


class TLVState:
    """The values by their rules' keys, a filter state object with a field for each."""

    __slots__ = ("values",)

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def plainText(self) -> str | None:
        return json.dumps(self.values, ensure_ascii=False, separators=(",", ":"))

    def typed(self) -> object:
        return self.values

    def field(self, name: str) -> object:
        return self.values.get(name)

    def hashKey(self) -> Hashable | None:
        return None


def applyRules(
    rules: Mapping[int, TLVRule], tlvs: Iterable[tuple[int, bytes]], info: StreamInfo, inState: bool
) -> None:
    """
    Put values where the rules of their types say.

    In metadata the first of several values stays, in filter state the last, as in Envoy.

    Args:
        inState: make a filter state object, not metadata.
    """
    values: dict[str, str] = {}
    for kind, value in tlvs:
        rule = rules.get(kind)
        if rule is None:
            continue
        if inState:
            values[rule.key] = rule.textOf(value)
        else:
            struct = info.dynamicMetadata.setdefault(rule.namespace, {})
            struct.setdefault(rule.key, rule.textOf(value))
    if values:
        info.filterState.set(STATE, TLVState(values))
