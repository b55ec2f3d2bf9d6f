"""
RE2's regular expressions without RE2, in time that is linear in the length of the text.

A pattern is parsed in RE2's syntax, with RE2's words for what is wrong (`parse`). If it can be seen
that Python's backtracking takes linear time with it, it becomes a Python pattern (`python`,
`linear`); if not, it is run by a slower machine that never looks at the same place twice
(`machine`).

RE2: https://github.com/google/re2/wiki/Syntax
"""
