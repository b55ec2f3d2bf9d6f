"""
Secrets by name: those of the bootstrap, and those that stand in files and may change (SDS).

A file is a DiscoveryResponse with one Secret in it, as Envoy's `path_config_source` has it. What is
open when it changes is not touched.

Envoy: SecretManagerImpl
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted_envoy.extensions.common.file_subscription import checkFile
from twisted_envoy.extensions.common.tls.subscription import SecretSubscription, refuseUnread
from twisted_envoy.interfaces.extensions import POLLED, SECRETS

_STATIC = "static TLS secrets"
_SUBSCRIPTIONS = "TLS secrets in files"
_APIS = {
    "tls_certificate": "TlsCertificateSdsApi",
    "validation_context": "CertificateValidationContextSdsApi",
}


class SecretSource:
    """
    One secret that a config names.

    Args:
        name: the secret's.
        static: the View of one of the bootstrap, which never changes.
        subscription: of one in a file.
    """

    __slots__ = ("_static", "name", "subscription")

    def __init__(
        self, name: str, static: Any = None, subscription: SecretSubscription | None = None
    ) -> None:
        self.name = name
        self._static = static
        self.subscription = subscription

    def read(self) -> Any:
        """The View of the secret's content now."""
        return self._static if self.subscription is None else self.subscription.content

    def check(self, content: Any) -> None:
        """
        After all was read: what was not is not obeyed.

        Raises:
            ConfigError: with the first of them.
        """
        if self.subscription is not None:
            refuseUnread(content)


def readSecretSource(view: Any, kind: str, context: Any) -> SecretSource:
    """
    Read an SdsSecretConfig.

    Args:
        kind: `tls_certificate` or `validation_context`.
    Raises:
        ConfigError: in Envoy's words where it has some.
    """
    name: str = view.name
    config = view.sds_config
    if config is None:
        found: _Kept | None = context.singleton(_STATIC, dict).get((kind, name))
        if found is None:
            raise view.error(f"Unknown static secret: {name}", "name")
        found.isUsed = True
        return SecretSource(name, static=getattr(found.view, kind))
    path, directory = _placeOf(config, kind, context)
    kept: dict[object, SecretSubscription] = context.singleton(_SUBSCRIPTIONS, dict)
    key = (kind, name, path, directory)
    if key not in kept:
        kept[key] = subscription = SecretSubscription(
            name, kind, path, directory, context.stats, context.reactor.seconds
        )
        polled: list[Callable[[], None]] = context.singleton(POLLED, list)
        polled.append(subscription.look)
        shown: list[SecretSubscription] = context.singleton(SECRETS, list)
        shown.append(subscription)
    return SecretSource(name, subscription=kept[key])


def _placeOf(config: Any, kind: str, context: Any) -> tuple[str, str]:
    """The file that a ConfigSource names, and the folder that it has watched."""
    chosen = config.which("config_source_specifier")
    if chosen not in ("path", "path_config_source"):
        raise config.error(f"secrets from {chosen} are not implemented", chosen)
    if not (context.node.id and context.node.cluster):
        raise config.error(
            f"{_APIS[kind]}: node 'id' and 'cluster' are required. Set it either in 'node' config "
            "or via --service-node and --service-cluster options."
        )
    config.moot("resource_api_version", "there is but one")
    config.moot("initial_fetch_timeout", "a file is there or not")
    directory = ""
    if chosen == "path":
        path: str = config.path_
    else:
        source = config.path_config_source
        path = source.path_
        if source.watched_directory is not None:
            directory = source.watched_directory.path_
        source.moot("poll_interval", "it is looked at every second")
    checkFile(config, path)
    return path, directory


class _Kept:
    """
    A secret of the bootstrap.

    Attributes:
        view: the Secret's. isUsed: somebody names it.
    """

    __slots__ = ("isUsed", "view")

    def __init__(self, view: Any) -> None:
        self.view = view
        self.isUsed = False


def keepStaticSecrets(views: Iterable[Any], context: Any) -> int:
    """
    Keep the secrets of the bootstrap, for those who name them.

    Returns:
        How many there are.
    """
    kept: dict[tuple[str, str], _Kept] = context.singleton(_STATIC, dict)
    count = 0
    for view in views:
        count += 1
        kind = view.which("type")
        name = view.name
        if kind is None:
            raise view.error("Secret type not implemented")
        if (kind, name) in kept:
            raise view.error(f"Duplicate static {kind} secret name {name}")
        kept[(kind, name)] = _Kept(view)
    return count


def warnOfUnused(context: Any) -> None:
    """After all was built: a secret that nobody names does nothing, as in Envoy."""
    kept: dict[tuple[str, str], _Kept] = context.singleton(_STATIC, dict)
    for (_, name), secret in kept.items():
        if not secret.isUsed:
            secret.view.warn(f"secret '{name}' is used by nobody")
            secret.view.take()
