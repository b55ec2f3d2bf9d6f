"""Knock: a connection must begin with a secret word, or nothing behind this filter hears of it."""

from envoy_knock.config import KnockFactory

factories = (KnockFactory(),)
