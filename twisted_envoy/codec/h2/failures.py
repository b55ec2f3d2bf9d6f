"""
What can be wrong with what the peer sent, and Envoy's words for it.

Envoy: source/common/http/http2/codec_impl.cc, Http2ResponseCodeDetails
"""

from __future__ import annotations

MESSAGING = "http2.violation.of.messaging.rule"
INVALID_FIELD = "http2.invalid.header.field"
TOO_MANY_HEADERS = "http2.too_many_headers"
UNDERSCORE = "http2.unexpected_underscore"
REMOTE_RESET = "http2.remote_reset"
REMOTE_REFUSED = "http2.remote_refuse"
OUTBOUND = "codec_error:Too_many_frames_in_the_outbound_queue."
OUTBOUND_CONTROL = "codec_error:Too_many_control_frames_in_the_outbound_queue."
EMPTY = "http2.inbound_empty_frames_flood"
PRIORITIES = "codec_error:Too_many_PRIORITY_frames"
WINDOW_UPDATES = "codec_error:Too_many_WINDOW_UPDATE_frames"
RESETS = "http2.too_many_premature_resets"
PROTOCOL = "codec_error:The_user_callback_function_failed"
BAD_PREFACE = "http2.invalid_preface"

FLOODS = frozenset((OUTBOUND, OUTBOUND_CONTROL, EMPTY, PRIORITIES, WINDOW_UPDATES))
"""What a client may do, but not as often."""

LIMITS = frozenset((TOO_MANY_HEADERS, UNDERSCORE))
"""What is not against the protocol, but against our settings."""


class ConnectionFailure(Exception):
    """
    The connection cannot go on.

    Attributes:
        code: of the GOAWAY; None when the connection closes without one, as Envoy's does.
        details: for the access log.
        hasCut: a stream was open, and has ended already.
    """

    def __init__(self, code: int | None, details: str = PROTOCOL, hasCut: bool = False) -> None:
        super().__init__(details)
        self.hasCut = hasCut
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
