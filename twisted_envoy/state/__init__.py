"""What a connection or stream knows: addresses, filter state, metadata, flags and byte counts."""
