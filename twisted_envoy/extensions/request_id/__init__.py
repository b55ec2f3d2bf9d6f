"""What gives requests their id."""
