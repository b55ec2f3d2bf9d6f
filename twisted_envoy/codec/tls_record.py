"""
TLS without a transport: what the peer sent goes in, plaintext and what is to be sent come out.

    state          event                                   next
    handshaking    feed, with the last message of it       open
    handshaking    feed, of anything wrong                 failed (TLSProblem; the alert is pulled)
    open           feed, with close_notify                 the peer has ended; writing goes on
    open           end()                                   we have ended; reading goes on
    open           feed, of anything wrong                 failed

The two ends of a stream are independent, other than in Twisted's own TLS protocol. The records are
made by OpenSSL between two memory BIOs.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL

from twisted_envoy.codec.tls_errors import TLSProblem, TLSTruncated, problemOf

_RECORD = 64 * 1024
"""Bytes asked for at once: a record carries at most 16 KiB."""


class Verdict:
    """
    What becomes of the peer's certificate.

    Attributes:
        isTolerated: its chain is wrong, which the config allows.
        refusal: why it was refused; set by who verifies it.
        reason: why the connection was, for another reason than a chain that is wrong.
        shown: the certificate that was refused; OpenSSL keeps none then.
        wantedName: must be its DNS name, in place of any other check of names; "" for none.
    """

    __slots__ = ("isTolerated", "reason", "refusal", "shown", "wantedName")

    def __init__(self) -> None:
        self.isTolerated = False
        self.reason = ""
        self.refusal = ""
        self.shown: Any = None
        self.wantedName = ""


class TLSRecord:
    """
    The TLS of one connection.

    Args:
        connection: over memory BIOs, and told which side it is.

    Attributes:
        isOpen: the handshake is done.
        peerEnded: the peer's close_notify has come.
        broken: what came behind the last plaintext was wrong.
        verdict: on the peer's certificate; the connection's app data.
    """

    __slots__ = (
        "_pull",
        "_push",
        "_read",
        "_write",
        "broken",
        "connection",
        "isOpen",
        "peerEnded",
        "verdict",
    )

    def __init__(self, connection: SSL.Connection) -> None:
        self.connection = connection
        self.verdict = Verdict()
        connection.set_app_data(self.verdict)
        self._push = connection.bio_write
        self._pull = connection.bio_read
        self._read = connection.recv
        self._write = connection.send
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
            self._push(data)
        try:
            if not self.isOpen:
                self.connection.do_handshake()
                self.isOpen = True
            return self._plaintext()
        except SSL.WantReadError:
            return b""
        except SSL.ZeroReturnError:
            self.peerEnded = True
            return b""
        except SSL.SysCallError as problem:
            raise TLSTruncated() from problem
        except SSL.Error as problem:
            verdict = self.verdict
            if verdict.reason:
                raise TLSProblem((verdict.reason,)) from problem
            raise problemOf(problem.args[0] if problem.args else (), verdict.refusal) from problem

    def _plaintext(self) -> bytes:
        """All there is; raises as `recv` does when that is nothing."""
        read = self._read
        first = read(_RECORD)
        chunks = [first]
        try:
            while True:
                chunks.append(read(_RECORD))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.peerEnded = True
        except SSL.Error as problem:
            self.broken = problemOf(problem.args[0] if problem.args else ())
        return first if len(chunks) == 1 else b"".join(chunks)

    def send(self, data: bytes) -> bytes:
        """
        Encrypt; only while it is open.

        Returns:
            What is to be sent, with anything that has waited before it.
        Raises:
            TLSProblem: it cannot go on.
        """
        try:
            size = len(data)
            done = self._write(data)
            while done < size:
                done += self._write(memoryview(data)[done:])
        except SSL.Error as problem:
            raise problemOf(problem.args[0] if problem.args else ()) from problem
        return self.pull(size + (size >> 6) + 1024)

    def pull(self, expected: int = 16 * 1024) -> bytes:
        """
        What is to be sent to the peer; may be nothing.

        Args:
            expected: about as many bytes.
        """
        pull = self._pull
        try:
            data = pull(expected)
            if len(data) < expected:
                return data
        except SSL.WantReadError:
            return b""
        chunks = [data]
        try:
            while True:
                chunks.append(pull(expected))
        except SSL.WantReadError:
            return b"".join(chunks)

    def end(self) -> bytes:
        """
        Our end of stream, once; nothing may be sent later.

        Returns:
            What is to be sent; nothing during a handshake.
        """
        try:
            self.connection.shutdown()
        except SSL.Error:
            pass  # there is nobody to tell
        return self.pull()


def keepSession(connection: SSL.Connection) -> None:
    """The session may go on in another connection, however this one has ended."""
    connection.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)


def newRecord(context: SSL.Context, isServer: bool) -> TLSRecord:
    """The TLS of a new connection."""
    connection = SSL.Connection(context)
    if isServer:
        connection.set_accept_state()
    else:
        connection.set_connect_state()
    return TLSRecord(connection)


__all__ = ["TLSProblem", "TLSRecord", "TLSTruncated", "keepSession", "newRecord"]
