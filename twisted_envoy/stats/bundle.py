"""
Bundles: the metrics of one thing as attributes, spelt as Envoy spells them.

A bundle is a class whose annotations name its metrics; looking them up by name happens once, when
the thing is built.
"""

from __future__ import annotations

from twisted_envoy.stats.scope import Scope


def fillBundle(bundle: object, scope: Scope) -> None:
    """
    Make every metric that the class annotates and set it as an attribute.

    Args:
        bundle: its class annotates names as Counter, Gauge or Histogram (of milliseconds).
    """
    for name, kind in type(bundle).__annotations__.items():
        if kind == "Counter":
            setattr(bundle, name, scope.counter(name))
        elif kind == "Gauge":
            setattr(bundle, name, scope.gauge(name))
        else:
            setattr(bundle, name, scope.histogram(name, "Milliseconds"))
