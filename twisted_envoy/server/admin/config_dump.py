"""
/config_dump: the configuration that is in force, section by section, secrets hidden.

Follows Envoy's `source/server/admin/config_dump_handler.cc`. Sections come in the order of the
names of Envoy's config trackers; those of routes exist once an HTTP connection manager does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any as Untyped

from google.protobuf.message import DecodeError, Message

from twisted_envoy.server.admin.clusters_page import healthStatus, localityOf
from twisted_envoy.server.admin.field_mask import FieldMaskError, trim, trimElement
from twisted_envoy.server.admin.json_text import MessageKit, isRepeated
from twisted_envoy.server.admin.redact import Redaction
from twisted_envoy.server.admin.reply import BARE_TEXT, JSON, Query, Reply
from twisted_envoy.server.admin.server_info import nodeMessage
from twisted_envoy.server.admin.target import AdminTarget, ShownCluster
from twisted_envoy.stats.regex import compileRegex

_HTTP_CONNECTION_MANAGER = (
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)


class DumpError(Exception):
    """Ends the page with a status and a text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.reply = Reply(text, code, BARE_TEXT)


def configDump(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """envoy.admin.v3.ConfigDump, narrowed by resource, mask, name_regex and include_eds."""
    try:
        pattern = _pattern(query.nonEmpty("name_regex"))
        sections = Sections(target, kit, pattern, query.has("include_eds")).all()
        hidden = [_redacted(kit, section) for section in sections]
        mask = query.nonEmpty("mask")
        resource = query.nonEmpty("resource")
        if resource is None:
            configs = _masked(hidden, mask)
        else:
            configs = _elements(kit, hidden, resource, mask)
    except DumpError as error:
        return error.reply
    made = kit.new("envoy.admin.v3.ConfigDump")
    for config in configs:
        made.configs.add().Pack(config)
    return Reply(kit.text(made), contentType=JSON)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return compileRegex(text)
    except ValueError as error:
        raise DumpError(
            400, f"INVALID_ARGUMENT: Error while parsing name_regex from {text}: {error}"
        ) from error


def _redacted(kit: MessageKit, section: Message) -> Message:
    Redaction(kit).redact(section)
    return section


def _masked(sections: list[Message], mask: str | None) -> list[Message]:
    if mask is None:
        return sections
    kept = []
    for section in sections:
        try:
            trim(section, mask.split(","))
        except FieldMaskError:
            continue
        kept.append(section)
    if not kept:
        raise DumpError(400, f"FieldMask {mask} could not be successfully applied to any configs.")
    return kept


def _elements(
    kit: MessageKit, sections: list[Message], resource: str, mask: str | None
) -> list[Message]:
    for section in sections:
        field = section.DESCRIPTOR.fields_by_name.get(resource)
        if field is None:
            continue
        if not isRepeated(field):
            raise DumpError(
                400,
                f"{resource} is not a repeated field. Use ?mask={resource} to get only this field",
            )
        elements: list[Message] = list(getattr(section, resource))
        if mask is not None:
            _trimElements(kit, elements, mask.split(","))
        return elements
    raise DumpError(404, f"{resource} not found in config dump")


def _trimElements(kit: MessageKit, elements: list[Message], paths: list[str]) -> None:
    try:
        for element in elements:
            trimElement(kit, element, paths)
    except FieldMaskError as error:
        shown = "".join(f'paths: "{path}"\n' for path in paths)
        raise DumpError(400, f"FieldMask {shown} could not be successfully used.") from error


class Sections:
    """
    The sections of the dump, made anew for each request.

    Args:
        pattern: names of clusters, endpoints, listeners, routes and secrets must match it whole.
        endpoints: show the endpoints as well.
    """

    def __init__(
        self,
        target: AdminTarget,
        kit: MessageKit,
        pattern: re.Pattern[str] | None,
        endpoints: bool,
    ) -> None:
        self._target = target
        self._kit = kit
        self._pattern = pattern
        self._endpoints = endpoints
        self._bootstrap: Untyped = target.bootstrap.message

    def all(self) -> list[Message]:
        """In Envoy's order."""
        found = [self._bootstrapSection(), self._clusters()]
        if self._endpoints and list(self._target.clusters.names()):
            found.append(self._endpointsSection())
        found.append(self._listeners())
        managers = list(self._connectionManagers())
        if managers:
            found += [self._new("ScopedRoutesConfigDump"), self._routes(managers)]
        return [*found, self._secrets()]

    def _new(self, name: str) -> Untyped:
        return self._kit.new(f"envoy.admin.v3.{name}")

    def _shows(self, name: str) -> bool:
        return self._pattern is None or self._pattern.fullmatch(name) is not None

    def _stamp(self, message: Untyped) -> None:
        message.last_updated.FromMilliseconds(int(self._target.startTime * 1000))

    def _bootstrapSection(self) -> Untyped:
        made = self._new("BootstrapConfigDump")
        made.bootstrap.CopyFrom(self._bootstrap)
        made.bootstrap.node.CopyFrom(nodeMessage(self._target, self._kit, configured=True))
        self._stamp(made)
        return made

    def _shownClusters(self) -> Iterator[ShownCluster]:
        for name in self._target.clusters.names():
            cluster = self._target.clusters.get(name)
            if cluster is not None and self._shows(name):
                yield cluster

    def _clusters(self) -> Untyped:
        made = self._new("ClustersConfigDump")
        for cluster in self._shownClusters():
            entry = made.static_clusters.add()
            entry.cluster.Pack(cluster.config.message)
            self._stamp(entry)
        return made

    def _endpointsSection(self) -> Untyped:
        made = self._new("EndpointsConfigDump")
        for cluster in self._shownClusters():
            made.static_endpoint_configs.add().endpoint_config.Pack(self._assignment(cluster))
        return made

    def _assignment(self, cluster: ShownCluster) -> Untyped:
        made = self._kit.new("envoy.config.endpoint.v3.ClusterLoadAssignment")
        made.cluster_name = cluster.name
        made.policy.overprovisioning_factor.value = 140
        groups: dict[tuple[bytes, int], Untyped] = {}
        for host in cluster.hosts:
            locality = localityOf(self._kit, host)
            key = (locality.SerializeToString(), host.priority)
            group = groups.get(key)
            if group is None:
                group = groups[key] = made.endpoints.add(priority=host.priority)
                group.locality.CopyFrom(locality)
                group.load_balancing_weight.value = 0
            entry = group.lb_endpoints.add(health_status=healthStatus(host.health))
            entry.endpoint.address.CopyFrom(self._kit.address(host.address))
            entry.endpoint.health_check_config.SetInParent()
            entry.endpoint.hostname = host.hostname
            entry.load_balancing_weight.value = host.weight
            for namespace, values in host.metadata.items():
                entry.metadata.filter_metadata[namespace].update(values)
        return made

    def _listeners(self) -> Untyped:
        made = self._new("ListenersConfigDump")
        for listener in self._target.listeners:
            if self._shows(listener.name):
                entry = made.static_listeners.add()
                entry.listener.Pack(listener.config.message)
                self._stamp(entry)
        return made

    def _connectionManagers(self) -> Iterator[Untyped]:
        for listener in self._target.listeners:
            message: Untyped = listener.config.message
            for chain in (*message.filter_chains, message.default_filter_chain):
                for one in chain.filters:
                    if one.typed_config.type_url.endswith("/" + _HTTP_CONNECTION_MANAGER):
                        manager = self._kit.new(_HTTP_CONNECTION_MANAGER)
                        try:
                            manager.ParseFromString(one.typed_config.value)
                        except DecodeError:
                            continue
                        yield manager

    def _routes(self, managers: list[Untyped]) -> Untyped:
        made = self._new("RoutesConfigDump")
        for manager in managers:
            if manager.HasField("route_config") and self._shows(manager.route_config.name):
                entry = made.static_route_configs.add()
                entry.route_config.Pack(manager.route_config)
                self._stamp(entry)
        return made

    def _secrets(self) -> Untyped:
        made = self._new("SecretsConfigDump")
        for secret in self._bootstrap.static_resources.secrets:
            if self._shows(secret.name):
                made.static_secrets.add(name=secret.name).secret.Pack(secret)
        for shown in sorted(self._target.secrets, key=lambda one: one.kind):
            if self._shows(shown.name):
                entry = made.dynamic_active_secrets.add(name=shown.name, version_info=shown.version)
                entry.last_updated.FromMilliseconds(int(shown.updated * 1000))
                entry.secret.Pack(shown.secret)
        return made
