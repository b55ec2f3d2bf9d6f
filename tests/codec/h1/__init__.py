"""Tests of twisted_envoy.codec.h1."""
