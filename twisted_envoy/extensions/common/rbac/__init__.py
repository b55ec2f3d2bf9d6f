"""
Role based access control: policies, and what says whether one lets something pass.

Envoy: config.rbac.v3.RBAC, source/extensions/filters/common/rbac
"""
