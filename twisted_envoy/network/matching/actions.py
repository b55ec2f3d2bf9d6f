"""What a tree leads to: each user of trees knows some messages."""

from __future__ import annotations

from typing import Any


def openAction(view: Any, *kinds: str) -> Any:
    """
    Open the action of an OnMatch.

    Args:
        view: its TypedExtensionConfig. kinds: full names of messages.
    Returns:
        The View of the message.
    Raises:
        ConfigError: it is none of these, or breaks its rules.
    """
    holder = view.typed_config
    kind = holder.typeName
    if kind not in kinds:
        raise view.error(
            f"Didn't find a registered implementation for '{view.name}' with type URL: '{kind}'"
        )
    view.moot("name", "the message says what it is")
    return holder.open()
