"""
What TLS costs: our records on pyOpenSSL's contexts against the stdlib's ssl.MemoryBIO.

    python -m benchmarks.bench_tls

Both ends run in one process without a transport: a handshake is that of client and server, bulk is
encrypted by one and decrypted by the other. Candidates run in turns, the best of several counts.
"""

from __future__ import annotations

import datetime
import os
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from twisted_envoy.codec.tls_record import Scratch, newRecord

HANDSHAKES = 60
ROUNDS = 5
TOTAL = 32 * 1024 * 1024
SIZES = (128, 1024, 16 * 1024, 256 * 1024)


class Record(Protocol):
    """What codec.tls_record.TLSRecord does."""

    isOpen: bool

    def feed(self, data: bytes) -> bytes: ...

    def send(self, data: bytes) -> bytes: ...

    def pull(self) -> bytes: ...


class StdlibRecord:
    """The same over ssl.MemoryBIO."""

    def __init__(self, context: ssl.SSLContext, isServer: bool) -> None:
        self._push, self._pull = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._push, self._pull, server_side=isServer)
        self.isOpen = False

    def feed(self, data: bytes) -> bytes:
        """As TLSRecord.feed."""
        self._push.write(data)
        chunks: list[bytes] = []
        try:
            if not self.isOpen:
                self._object.do_handshake()
                self.isOpen = True
            while True:
                chunks.append(self._object.read(64 * 1024))
        except ssl.SSLWantReadError:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def send(self, data: bytes) -> bytes:
        """As TLSRecord.send."""
        self._object.write(data)
        return self._pull.read()

    def pull(self) -> bytes:
        """As TLSRecord.pull."""
        return self._pull.read()


Maker = Callable[[], tuple[Record, Record]]


def issue(kind: str) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, in PEM."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ecdsa":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), text


def pyOpenSSLPairs(folder: str, newest: int) -> Maker:
    """Pairs of TLSRecord."""
    server = SSL.Context(SSL.TLS_SERVER_METHOD)
    server.use_certificate_file(os.path.join(folder, "crt"))
    server.use_privatekey_file(os.path.join(folder, "key"))
    client = SSL.Context(SSL.TLS_CLIENT_METHOD)
    for context in (server, client):
        context.clear_mode(SSL._lib.SSL_MODE_ENABLE_PARTIAL_WRITE)  # type: ignore[attr-defined]
        context.set_max_proto_version(newest)
        context.set_cipher_list(b"ECDHE+AESGCM")
    scratch = Scratch()
    return lambda: (newRecord(client, False, scratch), newRecord(server, True, scratch))


def stdlibPairs(folder: str, newest: int) -> Maker:
    """Pairs of StdlibRecord."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(os.path.join(folder, "crt"), os.path.join(folder, "key"))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    for context in (server, client):
        context.maximum_version = ssl.TLSVersion(newest)
        context.set_ciphers("ECDHE+AESGCM")
    return lambda: (StdlibRecord(client, False), StdlibRecord(server, True))


def shake(make: Maker) -> tuple[Record, Record]:
    """A pair that is open."""
    client, server = make()
    client.feed(b"")
    while not (client.isOpen and server.isOpen):
        server.feed(client.pull())
        client.feed(server.pull())
    client.feed(server.pull())
    return client, server


def handshakes(make: Maker) -> float:
    """Microseconds of one handshake, both ends."""
    start = time.perf_counter()
    for _ in range(HANDSHAKES):
        shake(make)
    return (time.perf_counter() - start) / HANDSHAKES * 1e6


def bulk(make: Maker, size: int) -> float:
    """MB a second from one end to the other, both ends in one thread."""
    client, server = shake(make)
    data = b"x" * size
    total = min(TOTAL, size * 20_000)
    start = time.perf_counter()
    for _ in range(total // size):
        if len(server.feed(client.send(data))) != size:
            raise AssertionError("bytes are missing")
    return total / (time.perf_counter() - start) / 1e6


def main() -> int:
    """Print the table."""
    print(f"pyOpenSSL: {SSL.SSLeay_version(0).decode()}; stdlib: {ssl.OPENSSL_VERSION}")
    print("| what | ours | stdlib | ours / stdlib |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("ecdsa", "rsa"):
            for name, text in zip(("crt", "key"), issue(kind), strict=True):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(text)
            for version, newest in (("1.2", SSL.TLS1_2_VERSION), ("1.3", SSL.TLS1_3_VERSION)):
                makers = [pyOpenSSLPairs(folder, newest), stdlibPairs(folder, newest)]
                best = [min(handshakes(make) for _ in range(ROUNDS)) for make in makers]
                row = f"handshake {kind} TLS {version}, us"
                print(f"| {row} | {best[0]:.0f} | {best[1]:.0f} | {best[0] / best[1]:.2f} |")
        for size in SIZES:
            most = [max(bulk(make, size) for _ in range(ROUNDS)) for make in makers]
            row = f"chunks of {size}, TLS 1.3, MB/s"
            print(f"| {row} | {most[0]:.0f} | {most[1]:.0f} | {most[0] / most[1]:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
