"""Clusters, their hosts, and the pools that connections to hosts come from."""
