"""HTTP connection pools: requests to one host over connections that are kept."""
