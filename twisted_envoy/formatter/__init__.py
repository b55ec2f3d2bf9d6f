"""
`%COMMAND(ARGUMENTS):LENGTH%` formats: parsed once at start-up, then evaluated fast.

Follows Envoy's substitution formatter (`config.core.v3.SubstitutionFormatString`).
`text.compileText` and `json_format.compileJSON` make formatters of strings and dicts,
`substitution.compileSubstitution` of a config; each is a callable from a `state.FormatContext` to
the text.  `parser.FormatError` says what is wrong with a format.
"""
