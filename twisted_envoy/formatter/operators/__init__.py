"""
What each command of a format gives, one module per subject.

Every module has an `OPERATORS` table, name -> `Entry`; `BUILT_IN` here is all of them.  A caller
with more to say (HTTP, say) hands in its own table, made of this one and its own entries.
"""

from twisted_envoy.formatter.operators import (
    addresses,
    coalesce,
    connection,
    filter_state,
    headers,
    http,
    metadata,
    path,
    process,
    times,
    tls,
    upstream,
)
from twisted_envoy.formatter.operators.entry import Entry, Operators

BUILT_IN: Operators = {
    **connection.OPERATORS,
    **addresses.OPERATORS,
    **upstream.OPERATORS,
    **times.OPERATORS,
    **metadata.OPERATORS,
    **filter_state.OPERATORS,
    **process.OPERATORS,
    **coalesce.OPERATORS,
    **http.OPERATORS,
    **headers.OPERATORS,
    **path.OPERATORS,
    **tls.OPERATORS,
}

__all__ = ["BUILT_IN", "Entry", "Operators"]
