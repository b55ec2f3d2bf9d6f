"""
What a send costs beside the bytes: waking who waits for it, when that sleeps on another processor.

    python -m benchmarks.bench_wake

CPU time of a send in microseconds, medians of five: one right after the other, and with so many
microseconds of other work between them, in which the peer goes to sleep again. This is why small
writes and connects of a round go out together (`twisted_envoy.sockets.outbox`). Linux; needs two
processors.
"""

from __future__ import annotations

import os
import select
import socket
import statistics
import time

PEERS = 16
SENDS = 2000
BETWEEN = (0, 10, 30)
"""Microseconds of other work."""


def connections() -> list[tuple[socket.socket, socket.socket]]:
    """Over loopback."""
    made = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for _ in range(PEERS):
            writing = socket.create_connection(listening.getsockname())
            writing.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.append((writing, listening.accept()[0]))
    return made


def listen(sockets: list[socket.socket]) -> None:
    """Read what comes, until somebody ends."""
    poll = select.epoll()
    for one in sockets:
        poll.register(one.fileno(), select.EPOLLIN | select.EPOLLET)
    byNumber = {one.fileno(): one for one in sockets}
    while all(byNumber[fd].recv(4096) for fd, _ in poll.poll()):
        pass


def measure(sockets: list[socket.socket], between: int) -> float:
    """Microseconds of CPU of one send."""
    spent = 0.0
    for number in range(SENDS):
        before = time.thread_time()
        sockets[number % PEERS].send(b"x" * 64)
        spent += time.thread_time() - before
        until = time.perf_counter() + between / 1e6
        while between and time.perf_counter() < until:
            pass
    return spent / SENDS * 1e6


def main() -> None:
    """Print a table."""
    pairs = connections()
    mine, other = sorted(os.sched_getaffinity(0))[:2]
    child = os.fork()
    if not child:
        os.sched_setaffinity(0, {other})
        for writing, _ in pairs:
            writing.close()
        listen([reading for _, reading in pairs])
        os._exit(0)
    os.sched_setaffinity(0, {mine})
    print(f"{'us between':>10} {'us a send':>10}")
    for between in BETWEEN:
        took = statistics.median(measure([one for one, _ in pairs], between) for _ in range(5))
        print(f"{between:10} {took:10.2f}", flush=True)
    for writing, reading in pairs:
        reading.close()
        writing.close()
    os.waitpid(child, 0)


if __name__ == "__main__":
    main()
