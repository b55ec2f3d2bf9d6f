"""
Two ways to read a socket: `recv` makes bytes of the right size, `recv_into` fills a buffer that all
sockets share, of which what came is copied out, since a protocol may keep what it is given.

    python -m benchmarks.bench_recv

CPU time of a read in microseconds, medians of five, in turns. Our sockets do the first.
"""

from __future__ import annotations

import socket
import statistics
import time

SHARED = bytearray(256 * 1024)
VIEW = memoryview(SHARED)
SIZES = (
    (64, 16 * 1024, 20_000),
    (1024, 16 * 1024, 20_000),
    (16 * 1024, 16 * 1024, 10_000),
    (64 * 1024, 64 * 1024, 5_000),
    (256 * 1024, 256 * 1024, 1_500),
)
"""Bytes that wait, bytes that `recv` asks for, as `sockets.socket_reader` does, and rounds."""


def pair() -> tuple[socket.socket, socket.socket]:
    """A connection over loopback that holds the largest amount."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        writing = socket.create_connection(listening.getsockname())
        reading, _ = listening.accept()
    for one in (writing, reading):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            one.setsockopt(socket.SOL_SOCKET, option, 1 << 22)
    return writing, reading


def measure(size: int, asked: int, shared: bool, rounds: int) -> float:
    """Microseconds of one read of so many bytes, all of which wait."""
    writing, reading = pair()
    data = bytes(size)
    spent = 0.0
    with writing, reading:
        for _ in range(rounds):
            writing.sendall(data)
            while len(reading.recv(size, socket.MSG_PEEK)) < size:
                pass
            before = time.thread_time()
            got = bytes(VIEW[: reading.recv_into(SHARED)]) if shared else reading.recv(asked)
            spent += time.thread_time() - before
            assert len(got) == size
    return spent / rounds * 1e6


def main() -> None:
    """Print a table."""
    print(f"{'bytes':>8} {'recv':>8} {'recv_into':>10} {'ratio':>6}")
    for size, asked, rounds in SIZES:
        runs = [[measure(size, asked, one, rounds) for one in (False, True)] for _ in range(5)]
        recv, into = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{size:8} {recv:8.2f} {into:10.2f} {into / recv:6.2f}", flush=True)


if __name__ == "__main__":
    main()
