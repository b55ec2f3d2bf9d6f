"""
An error on its way up through the decoder.

Decoding keeps no path while all is well.  When something is wrong, a Problem unwinds and each
message that it passes adds one step; at the top it is put into Envoy's words and into ours.
"""

from __future__ import annotations

from twisted_envoy.config.nodes import Node


class Problem(Exception):
    """
    What is wrong with one node.

    Args:
        text: in Envoy's words.
        node: where.
        soft: only an unknown name.  Envoy reports one of these only when the rest is flawless.
        path: False for the few texts that Envoy gives without a path.
        hint: our own help, shown behind Envoy's words.
        late: wrong behind an element of a list, before the next: the index stays that of the last.
    """

    def __init__(
        self,
        text: str,
        node: Node | None = None,
        *,
        soft: bool = False,
        path: bool = True,
        hint: str = "",
        late: bool = False,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.node = node
        self.soft = soft
        self.hasPath = path
        self.hint = hint
        self._late = late
        self._steps: list[tuple[str, int | str | None, str]] = []

    def within(self, name: str, index: int | str | None, typeText: str) -> None:
        """Say that this is inside of `name` (element `index`), whose type reads `typeText`."""
        if self._late and isinstance(index, int):
            index, self._late = index - 1, False
        self._steps.append((name, index, typeText))

    def envoyText(self, rootType: str) -> str:
        """Return Envoy's words, path and type included."""
        if not self.hasPath:
            return f"INVALID_ARGUMENT: {self.text}"
        where = f"invalid JSON in {rootType}"
        if self._steps:
            steps = (
                name if index is None else f"{name}[{index}]"
                for name, index, _ in reversed(self._steps)
            )
            where = f"{where} @ {'.'.join(steps)}: {self._steps[0][2]}"
        return f"INVALID_ARGUMENT: {where}: {self.text}"

    def userPath(self) -> str:
        """Return the path as users write it: no markers of protobuf's inner workings."""
        return ".".join(
            name if index is None else f"{name}[{index}]"
            for name, index, _ in reversed(self._steps)
            if not name.startswith("<")
        )
