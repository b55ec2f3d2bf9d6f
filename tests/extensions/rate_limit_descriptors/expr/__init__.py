"""Expressions as actions of rate limits."""
