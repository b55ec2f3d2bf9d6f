"""
A cache of names and their addresses, which dynamic forward proxies share by its name.

Envoy: extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig
"""
