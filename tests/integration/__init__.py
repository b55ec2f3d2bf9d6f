"""Whole programs, real reactors, real sockets."""
