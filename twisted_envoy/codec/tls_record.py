"""
TLS without a transport: what the peer sent goes in, plaintext and what is to be sent come out.

    state          event                                   next
    handshaking    feed, with the last message of it       open
    handshaking    feed, of anything wrong                 failed (TLSProblem; the alert is pulled)
    open           feed, with close_notify                 the peer has ended; writing goes on
    open           end()                                   we have ended; reading goes on
    open           feed, of anything wrong                 failed

The two ends of a stream are independent, other than in Twisted's own TLS protocol. The records are
made by OpenSSL between two memory BIOs. Shaking hands and what goes wrong is pyOpenSSL's; bytes of
an open connection go to OpenSSL's functions directly, for pyOpenSSL makes a buffer and an exception
at each call: that costs half of the speed (benchmarks/bench_tls.py).
"""

from __future__ import annotations

from typing import Any, NoReturn

from OpenSSL import SSL

from twisted_envoy.codec.tls_errors import TLSProblem, TLSTruncated, problemOf

_library: Any = SSL._lib  # type: ignore[attr-defined]
_ffi: Any = SSL._ffi  # type: ignore[attr-defined]
_read = _library.SSL_read
_write = _library.SSL_write
_push = _library.BIO_write
_pull = _library.BIO_read
_errorOf = _library.SSL_get_error
_shake = _library.SSL_do_handshake
_shutDown = _library.SSL_shutdown
_versionOf = _library.SSL_version
_buffer = _ffi.buffer
_pointerTo = _ffi.from_buffer
_allocate = _ffi.new_allocator(should_clear_after_alloc=False)
_WANT_READ: int = _library.SSL_ERROR_WANT_READ
_REFUSED = ("SSLV3_ALERT_HANDSHAKE_FAILURE",)
_SIZE = 320 * 1024
"""Bytes: somewhat more than the largest chunk that a socket reads."""


class Scratch:
    """
    Memory that bytes pass on their way; for all connections of one thread.

    Args:
        size: bytes; larger chunks go in several steps.
    """

    __slots__ = ("memory", "size")

    def __init__(self, size: int = _SIZE) -> None:
        self.size = size
        self.memory: Any = _allocate("char[]", size)


class Verdict:
    """
    What becomes of the peer's certificate.

    Attributes:
        isTolerated: its chain is wrong, which the config allows.
        refusal: why it was refused; set by who verifies it.
        reason: why the connection was, for another reason than a chain that is wrong.
        shown: the certificates that were refused, the peer's own first; OpenSSL keeps none then.
        wantedName: must be its DNS name, in place of the config's check of names; "" for none.
        wantedNames: one must be a name of it, whatever else is checked.
        wire: the transport that the connection is over, set by who makes one of it.
    """

    __slots__ = (
        *("isTolerated", "reason", "refusal", "shown", "wantedName", "wantedNames", "wire"),
    )

    def __init__(self) -> None:
        self.isTolerated = False
        self.reason = ""
        self.refusal = ""
        self.shown: tuple[Any, ...] = ()
        self.wantedName = ""
        self.wantedNames: tuple[str, ...] = ()
        self.wire: Any = None


class TLSRecord:
    """
    The TLS of one connection.

    Args:
        connection: over memory BIOs, and told which side it is.
        scratch: used during calls only.
        isServer: which side that is.

    Attributes:
        isOpen: the handshake is done.
        peerEnded: the peer's close_notify has come.
        broken: what came behind the last plaintext was wrong.
        hasTickets: all that is to be sent are a server's session tickets of TLS 1.3, which go along
            with what it sends next, as BoringSSL's do.
        verdict: on the peer's certificate; the connection's app data.
    """

    __slots__ = (
        *("_from", "_into", "_memory", "_size", "_ssl", "broken", "connection"),
        *("hasTickets", "isOpen", "isServer", "peerEnded", "verdict"),
    )

    def __init__(
        self, connection: SSL.Connection, scratch: Scratch | None = None, isServer: bool = True
    ) -> None:
        self.connection: Any = connection
        self.verdict = Verdict()
        connection.set_app_data(self.verdict)
        scratch = scratch or Scratch()
        self._memory = scratch.memory
        self._size = scratch.size
        self._ssl = self.connection._ssl
        self._into = self.connection._into_ssl
        self._from = self.connection._from_ssl
        self.isServer = isServer
        self.hasTickets = False
        self.isOpen = False
        self.peerEnded = False
        self.broken: TLSProblem | None = None

    def feed(self, data: bytes) -> bytes:
        """
        Take what the peer sent; no bytes begin a client's handshake.

        Returns:
            The plaintext that has become complete.
        Raises:
            TLSProblem: it cannot go on; what `pull` gives may still be sent.
        """
        if data:
            _push(self._into, data, len(data))
        if not self.isOpen and not self._shaken():
            return b""
        memory = self._memory
        got = _read(self._ssl, memory, self._size)
        if got <= 0:
            if _errorOf(self._ssl, got) != _WANT_READ:
                self._failed(got)
            return b""
        return self._rest(got)

    def _rest(self, got: int) -> bytes:
        """All plaintext there is, the beginning of which stands in the scratch memory."""
        ssl, memory, size = self._ssl, self._memory, self._size
        full: list[bytes] = []
        while True:
            if got == size:
                full.append(_buffer(memory, got)[:])
                got = 0
            more = _read(ssl, memory + got, size - got)
            if more <= 0:
                break
            got += more
        if _errorOf(ssl, more) != _WANT_READ:
            try:
                self._failed(more)
            except TLSProblem as problem:
                self.broken = problem
        last: bytes = _buffer(memory, got)[:]
        return b"".join([*full, last]) if full else last

    def _shaken(self) -> bool:
        """Go on with the handshake; whether it is done."""
        ssl = self._ssl
        result = _shake(ssl)
        if result <= 0:
            if _errorOf(ssl, result) == _WANT_READ:
                return False
            try:
                self.connection._raise_ssl_error(ssl, result)
            except SSL.SysCallError as problem:
                raise TLSTruncated() from problem
            except SSL.Error as problem:
                raise self._problemOf(problem) from problem
        self.isOpen = True
        self.hasTickets = self.isServer and _versionOf(ssl) == SSL.TLS1_3_VERSION
        return True

    def _failed(self, result: int) -> None:
        """
        A read had no plaintext, for another reason than that more is needed.

        Raises:
            TLSProblem: unless the peer has ended in good order.
        """
        try:
            self.connection._raise_ssl_error(self._ssl, result)
        except SSL.ZeroReturnError:
            self.peerEnded = True
        except SSL.SysCallError as problem:
            raise TLSTruncated() from problem
        except SSL.Error as problem:
            raise self._problemOf(problem) from problem

    def _problemOf(self, problem: SSL.Error) -> TLSProblem:
        verdict = self.verdict
        if verdict.reason:
            return TLSProblem((verdict.reason,))
        found = problemOf(problem.args[0] if problem.args else (), verdict.refusal)
        if (
            found.reasons == _REFUSED
            and not self.isServer
            and not self.connection.get_cipher_name()
        ):
            return TLSProblem((*_REFUSED, "HANDSHAKE_FAILURE_ON_CLIENT_HELLO"))
        return found

    def send(self, data: bytes) -> bytes:
        """
        Encrypt some bytes; only while it is open.

        Returns:
            What is to be sent, with anything that has waited before it.
        Raises:
            TLSProblem: it cannot go on.
        """
        size = len(data)
        done = _write(self._ssl, data, size)
        while done < size:  # a context may be one that takes a record at a time
            more = _write(self._ssl, _pointerTo(data) + done, size - done) if done > 0 else done
            if more <= 0:
                self._refused(more)
            done += more
        return self.pull()

    def _refused(self, result: int) -> NoReturn:
        """Nothing can be written."""
        try:
            self.connection._raise_ssl_error(self._ssl, result)
        except SSL.Error as problem:
            raise self._problemOf(problem) from problem
        raise TLSProblem(("INTERNAL_ERROR",))

    def pull(self) -> bytes:
        """What is to be sent to the peer; may be nothing."""
        memory, size = self._memory, self._size
        got = _pull(self._from, memory, size)
        if got < size:
            return _buffer(memory, got)[:] if got > 0 else b""
        chunks = []
        while got > 0:
            chunks.append(_buffer(memory, got)[:])
            got = _pull(self._from, memory, size)
        return b"".join(chunks)

    def end(self) -> bytes:
        """
        Our end of stream, once; nothing may be sent later.

        Returns:
            What is to be sent; nothing during a handshake.
        """
        result = _shutDown(self._ssl)
        if result < 0:
            try:
                self.connection._raise_ssl_error(self._ssl, result)
            except SSL.Error:
                pass  # there is nobody to tell
        return self.pull()


def keepSession(connection: SSL.Connection) -> None:
    """The session may go on in another connection, however this one has ended."""
    connection.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)


def newRecord(context: SSL.Context, isServer: bool, scratch: Scratch | None = None) -> TLSRecord:
    """
    The TLS of a new connection.

    Args:
        scratch: None makes one of its own.
    """
    connection = SSL.Connection(context)
    if isServer:
        connection.set_accept_state()
    else:
        connection.set_connect_state()
    return TLSRecord(connection, scratch, isServer)


__all__ = ["Scratch", "TLSProblem", "TLSRecord", "TLSTruncated", "keepSession", "newRecord"]
