"""Early header mutation: edits of a request's headers before all that the manager does to them."""

from twisted_envoy.extensions.http.early_header_mutation.header_mutation.config import (
    EarlyHeaderMutationFactory,
)

factories = (EarlyHeaderMutationFactory(),)
