"""The proxies that are compared: how each is started for a kind of work, and which it can do."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side.bootstraps import HELLO, Place, proxies
from benchmarks.side_by_side.workloads import Workload

ROOT = Path(__file__).resolve().parent.parent.parent

Command = tuple[list[str], int]
"""The arguments of a program and the port that it listens on."""
Commands = Callable[[str, Place, Path], list[Command]]
"""Of a kind of work, in a folder of its own; the first is the one to talk to."""


@dataclass(frozen=True)
class Contestant:
    """
    One proxy.

    Attributes:
        version: what it calls itself.
        can: says whether it can do that.
    """

    name: str
    version: str
    commands: Commands
    can: Callable[[Workload], bool]


def everything(workload: Workload) -> bool:
    """It takes Envoy's configuration."""
    return True


def _bootstrapped(arguments: list[str]) -> Commands:
    """Of a program that reads a bootstrap; `{}` stands for its file."""

    def commands(kind: str, place: Place, folder: Path) -> list[Command]:
        found = []
        for number, (config, port) in enumerate(proxies(kind, place)):
            path = folder / f"{number}.json"
            path.write_text(json.dumps(config, indent=1), "utf-8")
            found.append(([word.replace("{}", str(path)) for word in arguments], port))
        return found

    return commands


def ours(workers: int = 1) -> Contestant:
    """This proxy, from this checkout."""
    from twisted_envoy import __version__

    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        "from twisted.scripts.twistd import run; run()"
    )
    arguments = [sys.executable, "-c", program, "-n", "--pidfile=", "envoy", "-c", "{}"]
    arguments += ["--concurrency", str(workers), "-l", "warning"]
    name = "twisted_envoy" if workers == 1 else f"twisted_envoy, {workers} workers"
    return Contestant(name, __version__, _bootstrapped(arguments), everything)


def findEnvoy() -> str | None:
    """Real Envoy: of the variable ENVOY, of this Python's packages, or on the path."""
    package = importlib.util.find_spec("envoy")
    folders = (package and package.submodule_search_locations) or ()
    found = [Path(sys.executable).with_name("envoy")]
    found += [Path(folder) / "_bin" / "envoy" for folder in folders]
    there = [str(path) for path in found if path.exists()]
    return os.environ.get("ENVOY") or (there[0] if there else shutil.which("envoy"))


def envoy(path: str) -> Contestant:
    """Real Envoy with one worker."""
    arguments = [path, "--disable-hot-restart", "--concurrency", "1", "-l", "error", "-c", "{}"]
    return Contestant(
        "Envoy",
        _version([path, "--version"], r"/(\d+\.\d+\.\d+)/"),
        _bootstrapped(arguments),
        everything,
    )


def _version(arguments: list[str], pattern: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=30)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "?"


# Proxies with a configuration of their own.


def nginxConfig(kind: str, place: Place, folder: Path) -> str:
    """One worker process; HTTP/1.1 with kept connections on both sides."""
    head = (
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error crit;\n"
        "worker_rlimit_nofile 20000; events { worker_connections 9000; }\n"
    )
    paths = "".join(
        f"{name}_temp_path {folder}/{name}; "
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    listen = f"listen 127.0.0.1:{place.port} backlog=4096{' ssl' if kind == 'tls' else ''};"
    answer = f'return 200 "{HELLO}";'.replace("\n", "\\n")
    forward = 'proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";'
    tls = f"ssl_certificate {place.certificate}; ssl_certificate_key {place.key};"
    return (
        f"{head}http {{ access_log off; {paths}\n"
        "keepalive_timeout 600s; keepalive_requests 1000000000;\n"
        f"upstream up {{ server 127.0.0.1:{place.upstream}; keepalive 256; "
        "keepalive_requests 1000000000; }\n"
        f"server {{ {listen} {tls if kind == 'tls' else ''}\n"
        f"location / {{ {answer if kind == 'direct' else forward} }} }} }}\n"
    )


def nginx() -> Contestant | None:
    """HTTP/1.1 only."""
    path = shutil.which("nginx")
    if path is None:
        return None

    def commands(kind: str, place: Place, folder: Path) -> list[Command]:
        config = folder / "nginx.conf"
        config.write_text(nginxConfig(kind, place, folder), "utf-8")
        return [([path, "-p", str(folder), "-c", str(config)], place.port)]

    return Contestant(
        "nginx",
        _version([path, "-v"], r"nginx/(\S+)"),
        commands,
        lambda one: one.kind in ("http", "direct", "tls") and one.client == "h1",
    )


def haproxyConfig(kind: str, place: Place, pem: Path) -> str:
    """One thread."""
    isTCP = kind == "tcp"
    tls = f" ssl crt {pem}" if kind == "tls" else ""
    http2 = " proto h2" if kind == "http2" else ""
    if kind == "direct":
        text = HELLO.replace("\n", "\\n").replace(" ", "\\ ")
        answer = f"  http-request return status 200 content-type text/plain string {text}\n"
    else:
        answer = "  default_backend up\n"
    return (
        "global\n  nbthread 1\n  maxconn 9000\n"
        f"defaults\n  mode {'tcp' if isTCP else 'http'}\n  timeout connect 5s\n"
        "  timeout client 600s\n  timeout server 600s\n"
        f"frontend in\n  bind 127.0.0.1:{place.port}{tls}\n{answer}"
        f"backend up\n  server one 127.0.0.1:{place.upstream}{http2}\n"
    )


def haproxy() -> Contestant | None:
    """TCP and HTTP, HTTP/2 too."""
    path = shutil.which("haproxy")
    if path is None:
        return None

    def commands(kind: str, place: Place, folder: Path) -> list[Command]:
        config, pem = folder / "haproxy.cfg", folder / "both.pem"
        if kind == "tls":
            pem.write_text(Path(place.certificate).read_text() + Path(place.key).read_text())
        config.write_text(haproxyConfig(kind, place, pem), "utf-8")
        return [([path, "-db", "-f", str(config)], place.port)]

    kinds = ("tcp", "http", "http2", "direct", "tls")
    return Contestant(
        "haproxy",
        _version([path, "-v"], r"version (\S+)"),
        commands,
        lambda one: one.kind in kinds,
    )


# Python peers.

_FORWARD = """
import sys
from twisted.internet import reactor
from twisted.protocols.portforward import ProxyFactory
factory = ProxyFactory("127.0.0.1", int(sys.argv[2]))
factory.noisy = False
reactor.listenTCP(int(sys.argv[1]), factory, backlog=4096, interface="127.0.0.1")
reactor.run()
"""
_REVERSE = """
import sys
from twisted.internet import reactor
from twisted.web.proxy import ReverseProxyResource
from twisted.web.server import Site
site = Site(ReverseProxyResource("127.0.0.1", int(sys.argv[2]), b""))
site.noisy = False
reactor.listenTCP(int(sys.argv[1]), site, backlog=4096, interface="127.0.0.1")
reactor.run()
"""


def _script(text: str) -> Commands:
    def commands(kind: str, place: Place, folder: Path) -> list[Command]:
        words = [sys.executable, "-c", text, str(place.port), str(place.upstream)]
        return [(words, place.port)]

    return commands


def peers() -> list[Contestant]:
    """Twisted's own two, and pproxy where it is installed."""
    from twisted import __version__ as version

    found = [
        Contestant(
            "twisted.protocols.portforward",
            version,
            _script(_FORWARD),
            lambda one: one.kind == "tcp" and one.name != "tcp_up",  # it knows no half-close
        ),
        Contestant(
            "twisted.web.proxy", version, _script(_REVERSE), lambda one: one.name == "h1_get"
        ),
    ]
    if importlib.util.find_spec("pproxy"):

        def commands(kind: str, place: Place, folder: Path) -> list[Command]:
            where = f"tunnel{{127.0.0.1:{place.upstream}}}://127.0.0.1:{place.port}"
            return [([sys.executable, "-m", "pproxy", "-l", where], place.port)]

        found.append(Contestant("pproxy", "", commands, lambda one: one.kind == "tcp"))
    return found


def available(envoyPath: str | None, workers: int) -> list[Contestant]:
    """Everybody who is installed; Envoy, the yardstick, comes first."""
    found = [envoy(envoyPath)] if envoyPath else []
    found.append(ours())
    if workers > 1:
        found.append(ours(workers))
    found += [one for one in (haproxy(), nginx()) if one is not None]
    return found + peers()
