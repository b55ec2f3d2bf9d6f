"""
Envoy bootstraps: from a file's text to messages, checked and readable with positions.

    load        text -> YAML nodes that know their line and column
    schema      Envoy's own message types, in a pool of their own
    decode      nodes -> messages, with every leniency of Envoy's loader
    rules       the validation rules that stand in the schema
    view        what factories read; remembers what was read
    extensions  type URL -> the factory that obeys it
    bootstrap   all of these, in Envoy's order
"""
