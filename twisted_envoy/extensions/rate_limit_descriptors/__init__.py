"""What gives entries of rate limit descriptors (`envoy.extensions.rate_limit_descriptors`)."""
