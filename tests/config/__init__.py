"""Tests of twisted_envoy.config."""
