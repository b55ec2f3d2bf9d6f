"""
Filter state that says what TLS to a host asks for: names, and protocols.

Envoy: UpstreamServerName, UpstreamSubjectAltNames and ApplicationProtocols of Network
"""

from __future__ import annotations

from twisted_envoy.state.filter_state import StringObject

SERVER_NAME = "envoy.network.upstream_server_name"
SUBJECT_NAMES = "envoy.network.upstream_subject_alt_names"
PROTOCOLS = "envoy.network.application_protocols"


class UntypedObject(StringObject):
    """A text that prints only as PLAIN."""

    __slots__ = ()

    def typed(self) -> object:
        return None


class ServerName(UntypedObject):
    """The name that a server is asked for."""

    __slots__ = ()


class ListObject(UntypedObject):
    """
    A comma-separated list that prints only as PLAIN, or not at all.

    Args:
        items: the parts; by default those between the commas, empty ones too.
    """

    __slots__ = ("items", "printed")

    def __init__(self, value: str, printed: bool, items: tuple[str, ...] | None = None) -> None:
        super().__init__(value)
        self.items = tuple(value.split(",")) if items is None else items
        self.printed = printed

    def plainText(self) -> str | None:
        return self.value if self.printed else None
