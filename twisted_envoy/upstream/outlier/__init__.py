"""Hosts whose requests end badly are left out for a while."""
