"""Tests for twisted_envoy.codec.tls_record."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.extensions.common.tls.pki import Authority
from twisted_envoy.codec.tls_record import Scratch, TLSProblem, newRecord

ISSUED = Authority().issue("server.test")


def contexts(newest=SSL.TLS1_3_VERSION):
    """A server's and a client's."""
    server = SSL.Context(SSL.TLS_SERVER_METHOD)
    server.use_certificate(ISSUED.certificate)
    server.use_privatekey(ISSUED.key)
    client = SSL.Context(SSL.TLS_CLIENT_METHOD)
    client.set_max_proto_version(newest)
    return server, client


SERVER, CLIENT = contexts()
SERVER_12, CLIENT_12 = contexts(SSL.TLS1_2_VERSION)


def shaken(server=SERVER, client=CLIENT, step=None):
    """Two records that have shaken hands, fed with so many bytes at once."""
    down, up = newRecord(server, True), newRecord(client, False)
    up.feed(b"")
    for _ in range(6):
        for source, target in ((up, down), (down, up)):
            data = source.pull()
            for start in range(0, len(data), step or len(data) or 1):
                target.feed(data[start : start + (step or len(data))])
    return down, up


class RefusedTests(SynchronousTestCase):
    """A server that knows nothing in common."""

    def test_hello(self):
        """Its alert comes right behind the client's hello."""
        up = newRecord(CLIENT, False)
        up.feed(b"")
        alert = b"\x15\x03\x03\x00\x02\x02\x28"
        problem = self.assertRaises(TLSProblem, up.feed, alert)

        self.assertTrue(str(problem).endswith("HANDSHAKE_FAILURE_ON_CLIENT_HELLO:TLS_error_end"))
        self.assertEqual(len(problem.reasons), 2)
        self.assertEqual(
            len(self.assertRaises(TLSProblem, newRecord(SERVER, True).feed, alert).reasons), 1
        )


class RecordTests(SynchronousTestCase):
    """Two of them talk."""

    contexts = SERVER, CLIENT

    def test_handshake(self):
        """Both are open after it, however the bytes were cut."""
        for step in (None, 1, 7, 100):
            down, up = shaken(*self.contexts, step)

            self.assertTrue(down.isOpen and up.isOpen)

    def test_everySplit(self):
        """Plaintext comes whole, wherever its records are cut."""
        down, up = shaken(*self.contexts)
        data = up.send(b"hello") + up.send(b"x" * 100)
        for split in range(len(data)):
            down, up = shaken(*self.contexts)
            data = up.send(b"hello") + up.send(b"x" * 100)
            got = down.feed(data[:split]) + down.feed(data[split:])
            self.assertEqual(got, b"hello" + b"x" * 100)

    def test_large(self):
        """More than a record is more than one record."""
        down, up = shaken(*self.contexts)

        self.assertEqual(down.feed(up.send(b"abc" * 100000)), b"abc" * 100000)

    def test_endlessHello(self):
        """A message that says it is 16 MiB long is refused before it has come."""
        down = newRecord(self.contexts[0], True)
        part = b"\x16\x03\x01\x40\x00"
        problem = self.assertRaises(
            TLSProblem,
            lambda: [
                down.feed(part + begin + b"z" * (16384 - len(begin)))
                for begin in (b"\x01\xff\xff\xff", b"", b"", b"", b"", b"", b"", b"", b"", b"", b"")
            ],
        )

        self.assertEqual(problem.reasons, ("EXCESSIVE_MESSAGE_SIZE",))

    def test_littleMemory(self):
        """What is larger than the memory on the way comes whole all the same."""
        for size in (64, 1000, 20000):
            scratch = Scratch(size)
            down, up = (newRecord(each, isServer, scratch) for each, isServer in self.sides())
            up.feed(b"")
            for _ in range(6):
                down.feed(up.pull())
                up.feed(down.pull())
            for length in (1, size - 1, size, size + 1, 3 * size, 50000):
                data = bytes(range(256)) * (length // 256) + b"x" * (length % 256)
                self.assertEqual(down.feed(up.send(data)), data)
                self.assertEqual(up.feed(down.send(data) + down.send(data)), data + data)

    def sides(self):
        return zip(self.contexts, (True, False), strict=True)

    def test_endsAreIndependent(self):
        """After one end the other direction goes on."""
        down, up = shaken(*self.contexts)
        self.assertEqual(down.feed(up.send(b"last") + up.end()), b"last")
        self.assertTrue(down.peerEnded)
        self.assertFalse(up.peerEnded)

        self.assertEqual(up.feed(down.send(b"reply")), b"reply")
        self.assertEqual(up.feed(down.end()), b"")
        self.assertTrue(up.peerEnded)
        self.assertEqual(up.end(), b"")

    def test_brokenBehindPlaintext(self):
        """What came before a wrong record is not lost."""
        down, up = shaken(*self.contexts)
        good = up.send(b"good")
        bad = bytearray(up.send(b"bad"))
        bad[-1] ^= 1

        self.assertEqual(down.feed(good + bytes(bad)), b"good")
        self.assertIn("BAD_RECORD_MAC", str(down.broken))

    def test_broken(self):
        """A wrong record alone is a problem, and an alert goes out."""
        down, up = shaken(*self.contexts)
        bad = bytearray(up.send(b"bad"))
        bad[-1] ^= 1

        self.assertRaises(TLSProblem, down.feed, bytes(bad))
        self.assertRaises(TLSProblem, up.feed, down.pull())

    def test_writingAfterTheEnd(self):
        """Is a problem of ours."""
        _down, up = shaken(*self.contexts)
        up.end()

        self.assertRaises(TLSProblem, up.send, b"late")


class Record12Tests(RecordTests):
    """The same with TLS 1.2."""

    contexts = SERVER_12, CLIENT_12


class GarbageTests(SynchronousTestCase):
    """Bytes that are no TLS."""

    def test_plaintext(self):
        """HTTP is told apart."""
        problem = self.assertRaises(
            TLSProblem, newRecord(SERVER, True).feed, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
        )

        self.assertEqual(problem.reasons, ("HTTP_REQUEST",))

    def test_endDuringTheHandshake(self):
        """There is nothing to say."""
        record = newRecord(SERVER, True)

        self.assertEqual(record.end(), b"")

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.binary(max_size=80), max_size=6), st.booleans())
    def test_anything(self, chunks, isServer):
        """Whatever comes, it is a problem or nothing."""
        record = newRecord(SERVER if isServer else CLIENT, isServer)
        try:
            for chunk in chunks:
                self.assertEqual(record.feed(chunk), b"")
        except TLSProblem as problem:
            self.assertIn("TLS_error", str(problem))
        self.assertFalse(record.isOpen)

    @settings(max_examples=40, deadline=None)
    @given(st.integers(0, 200), st.integers(1, 255))
    def test_damagedHandshake(self, place, change):
        """One wrong byte in a hello is never more than a problem."""
        down, up = newRecord(SERVER, True), newRecord(CLIENT, False)
        up.feed(b"")
        hello = bytearray(up.pull())
        hello[place % len(hello)] ^= change
        try:
            down.feed(bytes(hello))
            up.feed(down.pull())
            down.feed(up.pull())
        except TLSProblem as problem:
            self.assertIn("TLS_error", str(problem))
