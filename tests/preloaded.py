"""
The process that tests fork programs from: `python -c 'from tests.preloaded import main; main(FD)'`.

It has imported twistd and most of twisted_envoy, and no reactor.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
import traceback
from typing import Any

import twisted.internet.posixbase
import twisted.scripts.twistd  # noqa: F401

import twisted_envoy.extensions.filters.http.router.config
import twisted_envoy.extensions.filters.network.http_connection_manager.config
import twisted_envoy.extensions.filters.network.tcp_proxy.config
import twisted_envoy.server.build
import twisted_envoy.server.server
import twisted_envoy.server.tap  # noqa: F401
from twisted_envoy.config.bootstrap import envoyPlans

MOST = 1 << 17


def main(number: int) -> None:
    """
    Fork programs until the other end of a socket is closed.

    Each message is `{code, arguments, folder, environment}`, with three descriptors: stdout,
    stderr, and where two lines go: the program's pid, and its status at its end, negative for a
    signal.
    """
    assert "twisted.internet.reactor" not in sys.modules
    envoyPlans()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=number) as orders:
        while True:
            message, descriptors, _, _ = socket.recv_fds(orders, MOST, 3)
            if not message:
                return
            if os.fork() == 0:
                orders.close()
                os._exit(_watch(json.loads(message), *descriptors))
            for one in descriptors:
                os.close(one)


def _watch(order: dict[str, Any], out: int, err: int, report: int) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(report)
        os._exit(_become(order, out, err))
    os.close(out)
    os.close(err)
    os.write(report, b"%d\n" % pid)
    _, status = os.waitpid(pid, 0)
    os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
    return 0


def _become(order: dict[str, Any], out: int, err: int) -> int:
    for number, descriptor in ((1, out), (2, err)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout, sys.stderr = _unbuffered(1), _unbuffered(2)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["-c", *order["arguments"]]
    try:
        exec(compile(order["code"], "-c", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _unbuffered(number: int) -> io.TextIOWrapper:
    raw: Any = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", write_through=True)
