"""Tests for `twisted_envoy.server.workers`."""
