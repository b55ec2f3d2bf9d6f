"""
How long a bootstrap of 5,000 routes takes to decode and check, against real Envoy.

    PYTHONPATH=. python benchmarks/bench_config.py [PATH/TO/envoy]

Both times are of whole processes; ours are also shown for decoding and rules alone, which is what
the acceptance (at most twice Envoy) is about.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEAD = """\
static_resources:
  listeners:
  - name: ingress
    address:
      socket_address: {address: 127.0.0.1, port_value: 0}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/\
envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
          route_config:
            name: local
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
"""

ROUTE = """\
              - name: route-{number}
                match:
                  prefix: /service/{number}/
                  headers:
                  - name: x-tenant
                    string_match:
                      exact: tenant-{number}
                route:
                  cluster: backend
                  timeout: {seconds}s
                  prefix_rewrite: /
                  retry_policy:
                    retry_on: 5xx,reset
                    num_retries: 2
                request_headers_to_add:
                - header:
                    key: x-route
                    value: r{number}
                  append_action: OVERWRITE_IF_EXISTS_OR_ADD
"""

TAIL = """\
  clusters:
  - name: backend
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: backend
      endpoints:
      - lb_endpoints:
        - endpoint:
            address:
              socket_address: {address: 127.0.0.1, port_value: 1}
"""


def bootstrap(routes: int) -> str:
    """Return a bootstrap with so many routes, all different."""
    return "".join(
        [
            HEAD,
            *(ROUTE.format(number=number, seconds=number % 30 + 1) for number in range(routes)),
            TAIL,
        ]
    )


CHILD = """
import sys, time
start = time.perf_counter()
from twisted_envoy.config.bootstrap import loadBootstrap
imported = time.perf_counter()
view, _ = loadBootstrap([sys.argv[1]])
for listener in view.static_resources.listeners:
    for chain in listener.filter_chains:
        for one in chain.filters:
            one.typed_config.open()
done = time.perf_counter()
print(imported - start, done - imported)
"""


def best(command: list[str], times: int = 3) -> tuple[float, str]:
    """Run a command a few times; return the shortest wall time and that run's output."""
    results = []
    for _ in range(times):
        start = time.perf_counter()
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        results.append((time.perf_counter() - start, run.stdout))
    return min(results)


def main(arguments: list[str]) -> int:
    """Print the times and their ratio; status 1 when we take more than twice Envoy's time."""
    envoy = arguments[0] if arguments else shutil.which("envoy")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "routes.yaml"
        path.write_text(bootstrap(5_000))
        print(f"{path.stat().st_size / 1e6:.2f} MB of YAML, 5,000 routes")
        whole, output = best([sys.executable, "-c", CHILD, str(path)])
        imported, loaded = map(float, output.split())
        print(f"twisted_envoy: imports {imported:.2f} s, decode and rules {loaded:.2f} s")
        print(f"twisted_envoy: whole process {whole:.2f} s")
        if envoy is None:
            print("no envoy on the path and none given: nothing to compare with")
            return 0
        options = ["--mode", "validate", "--disable-hot-restart", "-l", "warning"]
        theirs, _ = best([envoy, *options, "-c", str(path)])
        print(f"envoy --mode validate: whole process {theirs:.2f} s")
        print(f"ratio {loaded / theirs:.2f} (at most 2 wanted)")
        return 0 if loaded <= 2 * theirs else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
