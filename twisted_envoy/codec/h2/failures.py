"""
What can be wrong with what the peer sent, and Envoy's words for it.

Envoy: source/common/http/http2/codec_impl.cc, Http2ResponseCodeDetails
"""

from __future__ import annotations

MESSAGING = "http2.violation.of.messaging.rule"
TOO_MANY_HEADERS = "http2.too_many_headers"
UNDERSCORE = "http2.unexpected_underscore"
REMOTE_RESET = "http2.remote_reset"
REMOTE_REFUSED = "http2.remote_refuse"
OUTBOUND = "http2.outbound_frames_flood"
OUTBOUND_CONTROL = "http2.outbound_control_frames_flood"
EMPTY = "http2.inbound_empty_frames_flood"
PRIORITIES = "http2.inbound_priority_frames_flood"
WINDOW_UPDATES = "http2.inbound_window_update_frames_flood"
RESETS = "http2.too_many_premature_resets"
PROTOCOL = "http2.protocol_error"
BAD_PREFACE = "http2.invalid_preface"


class ConnectionFailure(Exception):
    """
    The connection cannot go on.

    Attributes:
        code: of the GOAWAY; None when the connection closes without one, as Envoy's does.
        details: for the access log.
    """

    def __init__(self, code: int | None, details: str = PROTOCOL) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


class MessageFailure(Exception):
    """
    Headers that are none.

    Attributes:
        details: for the access log.
        violation: it breaks the protocol; False when only a limit of ours was passed.
    """

    def __init__(self, details: str, violation: bool) -> None:
        super().__init__(details)
        self.details = details
        self.violation = violation
