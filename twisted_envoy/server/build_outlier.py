"""From `config.cluster.v3.OutlierDetection` to what judges the hosts of a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted_envoy.access_log.file import AccessLogError
from twisted_envoy.upstream.outlier.detector import OutlierDetector
from twisted_envoy.upstream.outlier.events import OutlierEvents
from twisted_envoy.upstream.outlier.settings import DEFAULTS, OutlierSettings
from twisted_envoy.upstream.outlier.stats import OutlierStats

if TYPE_CHECKING:
    from twisted_envoy.config.view import View
    from twisted_envoy.interfaces.access_log import IAccessLogFile
    from twisted_envoy.server.context import FactoryContext

_FILE = "outlier_detection.event_log"
_TIMES = ("interval", "base_ejection_time", "max_ejection_time", "max_ejection_time_jitter")


def buildOutlierLog(bootstrap: View, context: FactoryContext) -> None:
    """
    Open the file that the bootstrap's `cluster_manager` names, before any cluster is built.

    Raises:
        ConfigError: it cannot be opened.
    """
    manager = bootstrap.cluster_manager
    config = None if manager is None else manager.outlier_detection
    if config is None or not config.event_log_path:
        return
    try:
        file = context.accessLogs.open(config.event_log_path)
    except AccessLogError as error:
        raise config.error(str(error), "event_log_path") from error
    context.singleton(_FILE, lambda: file)


def buildOutlierDetector(config: View, context: FactoryContext) -> OutlierDetector:
    """
    The detector of a cluster that has outlier detection.

    Args:
        context: the cluster's, with its scope.
    Raises:
        ConfigError: in Envoy's words.
    """
    outlier = config.outlier_detection
    message: Any = outlier.message
    if not message.detect_degraded_hosts.value:
        outlier.moot("detect_degraded_hosts", "the default")
    runtime = context.runtime
    for name in DEFAULTS:
        runtime.integer(f"outlier_detection.{name}")
    unejects = outlier.successful_active_health_check_uneject_host
    settings = OutlierSettings(
        _values(outlier),
        runtime.integer,
        splits=outlier.split_external_local_origin_errors,
        alwaysOne=bool(outlier.always_eject_one_host),
        unejects=True if unejects is None else unejects,
    )
    file: Any = context.singletons.get(_FILE)
    log: IAccessLogFile | None = file
    return OutlierDetector(
        settings,
        OutlierStats(context.scope.scope("outlier_detection.")),
        OutlierEvents(context.reactor.seconds, log),
        context.reactor,
        context.random,
    )


def _values(config: View) -> dict[str, int]:
    values: dict[str, int] = {}
    for name in DEFAULTS:
        field = name.removesuffix("_ms")
        given = getattr(config, field)
        if given is not None:
            values[name] = int(given * 1000) if field in _TIMES else given
    base = values.get("base_ejection_time_ms", DEFAULTS["base_ejection_time_ms"])
    most = values.get("max_ejection_time_ms")
    if most is None:
        values["max_ejection_time_ms"] = max(base, DEFAULTS["max_ejection_time_ms"])
    elif most < base:
        raise config.error(
            "outlier detector's max_ejection_time cannot be smaller than base_ejection_time",
            "max_ejection_time",
        )
    return values
