"""
The event log of health checks: one line of JSON for each event.

Envoy: data.core.v3.HealthCheckEvent; fields stand in the order of their numbers, all of them there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from twisted_envoy.internal.address import InternalAddress
from twisted_envoy.state.addresses import addressText
from twisted_envoy.upstream.health.settings import Failure

if TYPE_CHECKING:
    from twisted_envoy.interfaces.access_log import IAccessLogFile
    from twisted_envoy.upstream.host import Host


def timeText(seconds: float) -> str:
    """A protobuf Timestamp in JSON, with milliseconds."""
    when = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def addressFields(address: IAddress) -> dict[str, object]:
    """A config.core.v3.Address."""
    if isinstance(address, (IPv4Address, IPv6Address)):
        return {
            "socket_address": {
                "protocol": "TCP",
                "address": address.host,
                "port_value": address.port,
                "resolver_name": "",
                "ipv4_compat": False,
                "network_namespace_filepath": "",
            }
        }
    if isinstance(address, InternalAddress):
        return {
            "envoy_internal_address": {
                "server_listener_name": address.name,
                "endpoint_id": address.endpointID,
            }
        }
    return {"pipe": {"path": addressText(address), "mode": 0}}


def line(fields: dict[str, Any]) -> str:
    """One event as a line."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False) + "\n"


class HealthEvents:
    """
    Writes the events of one health check.

    Args:
        kind: `HTTP`, `TCP` or `GRPC`.
        seconds: the reactor's clock.
        sinks: files that take the lines; without any nothing is made.
    """

    def __init__(
        self, kind: str, seconds: Callable[[], float], sinks: Sequence[IAccessLogFile] = ()
    ) -> None:
        self._kind = kind
        self._seconds = seconds
        self._sinks = tuple(sinks)

    def ejectUnhealthy(self, host: Host, failure: Failure, status: int) -> None:
        """It was healthy and is not any more."""
        event = {"failure_type": failure.value, "http_status_code": status}
        self._write(host, "eject_unhealthy_event", event, early=True)

    def addHealthy(self, host: Host, first: bool) -> None:
        """It was unhealthy, or unknown, and is healthy now."""
        self._write(host, "add_healthy_event", {"first_check": first}, early=True)

    def failed(self, host: Host, failure: Failure, first: bool, status: int) -> None:
        """A check failed."""
        event = {
            "failure_type": failure.value,
            "first_check": first,
            "http_status_code": status,
        }
        self._write(host, "health_check_failure_event", event)

    def degraded(self, host: Host) -> None:
        """It asks for less."""
        self._write(host, "degraded_healthy_host", {})

    def noLongerDegraded(self, host: Host) -> None:
        """It does not any more."""
        self._write(host, "no_longer_degraded_host", {})

    def succeeded(self, host: Host) -> None:
        """A check succeeded."""
        self._write(host, "successful_health_check_event", {}, last=True)

    def _write(
        self,
        host: Host,
        name: str,
        event: Mapping[str, object],
        early: bool = False,
        last: bool = False,
    ) -> None:
        if not self._sinks:
            return
        fields: dict[str, Any] = {
            "health_checker_type": self._kind,
            "host": addressFields(host.address),
            "cluster_name": host.cluster.name,
        }
        if early:
            fields[name] = event
        fields["timestamp"] = timeText(self._seconds())
        if not (early or last):
            fields[name] = event
        if host.metadata:
            fields["metadata"] = {"filter_metadata": host.metadata, "typed_filter_metadata": {}}
        place = host.locality
        fields["locality"] = {
            "region": place.region,
            "zone": place.zone,
            "sub_zone": place.sub_zone,
        }
        if last:
            fields[name] = event
        text = line(fields)
        for sink in self._sinks:
            sink.write(text)
