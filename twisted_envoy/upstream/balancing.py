"""How a balancer is asked when a retry has a wish about priorities."""

from __future__ import annotations

from twisted_envoy.interfaces.upstream import IHost, ILoadBalancer, LoadBalancerContext


def chooseFrom(balancer: ILoadBalancer, context: LoadBalancerContext) -> IHost | None:
    """A host; `chooseOther` of a balancer that knows priorities sees to the wish."""
    if context.priorities is not None:
        other = getattr(balancer, "chooseOther", None)
        if other is not None:
            return other(context)  # type: ignore[no-any-return]
    return balancer.choose(context)
