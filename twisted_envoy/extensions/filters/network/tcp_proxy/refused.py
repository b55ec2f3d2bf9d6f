"""
What Envoy refuses in fields that are not implemented here.

A mistake in one of them is told in Envoy's words; without one the field is reported as not
implemented, for which nobody must have read it.
"""

from __future__ import annotations

from typing import Any

from twisted_envoy.errors import UnsupportedField


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
