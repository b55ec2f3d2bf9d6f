"""
What a peer has shown although it was refused.

OpenSSL keeps nothing of it, and pyOpenSSL hands on one certificate of the chain only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto

from twisted_envoy.codec.tls_record import Verdict

_library: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]
_NOT_SAID = 43
"""X509_V_ERR_NO_EXPLICIT_POLICY: of no alert's own, so that it becomes certificate_unknown."""

Verify = Callable[[SSL.Connection, Any, int, int, int], bool]


def verifyWith(
    context: SSL.Context, mode: int, verify: Verify, trusted: Collection[x509.Certificate] = ()
) -> None:
    """
    Have a context verify its connections' peers, as `set_verify` does.

    A connection whose peer is refused has its certificates in its Verdict.

    Args:
        trusted: whom the peer is not taken to have shown.
    """
    context.set_verify(mode, verify)
    held: Any = context
    inner = held._verify_callback

    def judge(good: int, store: Any) -> int:
        found: int = inner(good, store)
        if not found:
            _keep(store, trusted)
        return found

    held._verify_callback = _ffi.callback("int (*)(int, X509_STORE_CTX *)", judge)
    _library.SSL_CTX_set_verify(held._context, mode, held._verify_callback)


def _keep(store: Any, trusted: Collection[x509.Certificate]) -> None:
    if not _library.X509_STORE_CTX_get_error(store):
        _library.X509_STORE_CTX_set_error(store, _NOT_SAID)
    index = _library.SSL_get_ex_data_X509_STORE_CTX_idx()
    mapping: Any = SSL.Connection._reverse_mapping
    connection = mapping[_library.X509_STORE_CTX_get_ex_data(store, index)]
    verdict: Verdict = connection.get_app_data()
    leaf, *more = _chainOf(store)
    verdict.shown = (leaf, *(each for each in more if each not in trusted))


def _chainOf(store: Any) -> tuple[x509.Certificate, ...]:
    stack = _library.X509_STORE_CTX_get1_chain(store)
    make: Any = crypto.X509._from_raw_x509_ptr
    each = [
        make(_library.sk_X509_value(stack, at)).to_cryptography()
        for at in range(_library.sk_X509_num(stack))
    ]
    _library.sk_X509_free(stack)
    return tuple(each)
