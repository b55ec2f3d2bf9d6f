"""
The same load on several proxies: this one, real Envoy, haproxy, nginx and Python peers.

`python -m benchmarks` runs it; docs/performance.md says how to read what it finds.
"""
