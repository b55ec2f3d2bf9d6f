"""Compression libraries that are packages of their own."""
