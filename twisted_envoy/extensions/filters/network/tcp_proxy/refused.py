"""
What Envoy refuses in fields that are not implemented here.

A mistake in one of them is told in Envoy's words; without one the field is reported as not
implemented, for which nobody must have read it. So these functions look at fields of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.errors import UnsupportedField
from twisted_envoy.formatter.parser import FormatError
from twisted_envoy.formatter.text import compileText

if TYPE_CHECKING:
    from twisted_envoy.config.view import View


def checkTunneling(config: View) -> None:
    """
    Refuse a tunneling_config.

    Raises:
        ConfigError: what Envoy would say of it.
        UnsupportedField: otherwise.
    """
    _checkFormat(config, "hostname", config.hostname)
    if config.post_path and not config.use_post:
        raise config.error("Can't set a post path when POST method isn't used", "post_path")
    for option in config.headers_to_add:
        name: str = option.header.key
        if name.startswith(":") or name.lower() == "host":
            raise option.header.error(":-prefixed or host headers may not be modified", "key")
        _checkFormat(option.header, "value", option.header.value)
    raise UnsupportedField(
        config.path, "tunneling_config is not implemented by twisted_envoy", config.position()
    )


def _checkFormat(owner: View, field: str, text: str) -> None:
    try:
        compileText(text)
    except FormatError as problem:
        raise owner.error(str(problem), field) from None


def checkTLVs(tlvs: tuple[Any, ...]) -> None:
    """
    Refuse proxy_protocol_tlvs.

    Raises:
        ConfigError: what Envoy would say of one of them.
        UnsupportedField: otherwise.
    """
    for tlv in tlvs:
        if not tlv.value and tlv.format_string is None:
            raise tlv.error(
                "Invalid TLV configuration: one of 'value' or 'format_string' must be set."
            )
    for tlv in tlvs:
        raise UnsupportedField(
            tlv.path, "proxy_protocol_tlvs are not implemented by twisted_envoy", tlv.position()
        )
