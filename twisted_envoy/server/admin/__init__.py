"""
The admin interface: Envoy's pages on twisted.web.

`listener.buildAdmin` makes one of a bootstrap's `admin`; `pages` is the table of what it answers.
"""
