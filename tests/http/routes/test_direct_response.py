"""Tests for twisted_envoy.http.routes.direct_response."""

from __future__ import annotations

from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from tests.http.routes.support import only, problem, request, requestInfo, routes, wrong
from twisted_envoy.http.routes.direct_response import DirectResponse


def response(yaml: str) -> DirectResponse:
    entry = only(f"{{match: {{prefix: /}}, direct_response: {{{yaml}}}}}")
    assert entry.directResponse is not None
    return entry.directResponse


class DirectResponseTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """status and body, which may be a file's content or nothing."""
        path = FilePath(self.mktemp())
        path.setContent(b"of a file")
        found = response("status: 201, body: {inline_string: hello}")
        self.assertEqual((found.status, found.makeBody(requestInfo())), (201, b"hello"))
        self.assertEqual(
            response(f"status: 200, body: {{filename: {path.path}}}").body, b"of a file"
        )
        self.assertEqual(response("status: 503").body, b"")

    def test_format(self) -> None:
        """body_format makes the body of the request and of the body."""
        text = "text_format_source: {inline_string: '[%LOCAL_REPLY_BODY%|%REQ(:path)%]'}"
        found = response(
            "status: 200, body: {inline_string: b}, "
            f"body_format: {{{text}, content_type: text/html}}"
        )
        info = requestInfo()
        info.requestHeaders = request("/p")
        self.assertEqual(found.makeBody(info), b"[b|/p]")
        self.assertEqual(found.contentType, b"text/html")
        json = response("status: 200, body_format: {json_format: {p: '%REQ(:path)%'}}")
        self.assertEqual(json.contentType, b"application/json")

    def test_errors(self) -> None:
        """A body that is too large or not there."""
        large = f"{{match: {{prefix: /}}, direct_response: {{status: 200, body: \
{{inline_string: {'x' * 5000}}}}}}}"
        self.assertEqual(wrong(large), "response body size is 5000 bytes; maximum is 4096")
        few = routes(large, config="max_direct_response_body_size_bytes: 10")
        self.assertEqual(problem(few), "response body size is 5000 bytes; maximum is 10")
        missing = "{match: {prefix: /}, direct_response: {status: 200, body: {filename: /nope}}}"
        self.assertEqual(wrong(missing), "file /nope does not exist")
