"""
HTTP/1.1, both sides, sans-IO.

    fields      header fields: found, split, checked        request, response   whole heads
    body        bodies as they come                         encode              what goes out
    server      H1ServerCodec                               client              H1ClientCodec
"""
