"""
Say something to a TCP port of this machine, end the stream, print what comes back.

    python tools/say.py PORT TEXT

Waits up to ten seconds until something listens there.
"""

from __future__ import annotations

import socket
import sys
import time


def connect(port: int, patience: float = 10.0) -> socket.socket:
    """
    A connection to the port.

    Raises:
        OSError: nobody listened in `patience` seconds.
    """
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=patience)
        except ConnectionRefusedError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.05)


def say(port: int, text: str) -> str:
    """Send a line, half-close, and return everything that comes until the other end closes."""
    with connect(port) as connection:
        connection.sendall(f"{text}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65536):
            received += data
    return received.decode(errors="replace")


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[1].isdecimal():
        sys.exit("usage: python tools/say.py PORT TEXT")
    print(say(int(sys.argv[1]), sys.argv[2]), end="")
