"""
Matcher trees: from what is known of a connection or request to an action.

Inputs, matchers of values and matchers of whole trees are extensions; what an action is, the user
of a tree says.

Envoy: xds.type.matcher.v3.Matcher, source/common/matcher
"""
