"""
Say something to a TCP port of this machine, end the stream, print what comes back.

    python tools/say.py PORT TEXT

Tries again for up to ten seconds until something answers there; then one line and status 1.
"""

from __future__ import annotations

import socket
import sys
import time


def exchange(port: int, text: str) -> bytes:
    """
    Send a line, half-close, and return everything that comes until the other end closes.

    Raises:
        OSError: nobody listens, or the connection was reset.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{text}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65536):
            received += data
    return received


def say(port: int, text: str, patience: float = 10.0) -> str:
    """
    Exchange, again and again until there is an answer.

    Raises:
        OSError: there was none in `patience` seconds; its text names the port.
    """
    end = time.monotonic() + patience
    while True:
        try:
            received = exchange(port, text)
            if received:
                return received.decode(errors="replace")
            problem = OSError(f"port {port}: closed without an answer")
        except OSError as error:
            problem = OSError(f"port {port}: {error.strerror or error}")
        if time.monotonic() >= end:
            raise problem
        time.sleep(0.05)


if __name__ == "__main__":
    if len(sys.argv) != 3 or not sys.argv[1].isdecimal():
        sys.exit("usage: python tools/say.py PORT TEXT")
    try:
        print(say(int(sys.argv[1]), sys.argv[2]), end="")
    except (OSError, OverflowError) as problem:
        sys.exit(f"say.py: {problem}")
