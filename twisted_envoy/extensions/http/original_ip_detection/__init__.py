"""Who finds out whom a request comes from."""
