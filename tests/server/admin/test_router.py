"""Tests for `twisted_envoy.server.admin.router`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.router import AdminRouter, normalPath


class RouterTests(PageTestCase):
    """From method and path to an answer."""

    def setUp(self) -> None:
        """Every path is allowed."""
        super().setUp()
        self.router = AdminRouter(self.server, self.kit)

    def answer(self, method: str, uri: str, form: str = "") -> tuple[int, str]:
        """(status, text)."""
        reply = self.router.answer(method, uri, form)
        return reply.code, reply.text()

    def test_anyMethodReads(self) -> None:
        """A page that changes nothing takes every method, and parameters it does not know."""
        for method in ("GET", "POST", "PUT", "OPTIONS"):
            self.assertEqual(self.answer(method, "/ready?x"), (200, "LIVE\n"))

    def test_mutatingWantsPost(self) -> None:
        """Envoy's text; nothing has happened."""
        self.assertEqual(
            self.answer("DELETE", "/healthcheck/fail"),
            (405, "Method DELETE not allowed, POST required."),
        )
        self.assertEqual(self.server.state, "LIVE")
        self.assertEqual(self.answer("POST", "/healthcheck/fail?"), (200, "OK\n"))

    def test_notFound(self) -> None:
        """Unknown paths, also with a slash too much at the end."""
        for uri in ("/nope", "/ready/", "/stats/prometheus/x"):
            code, text = self.answer("GET", uri)
            self.assertEqual((code, text[:13]), (404, "invalid path."))

    def test_normalised(self) -> None:
        """Slashes, dots and escapes."""
        for uri in ("//ready", "/./ready", "/re%61dy", "/x/../ready"):
            self.assertEqual(self.answer("GET", uri), (200, "LIVE\n"))

    def test_form(self) -> None:
        """A form's parameters count."""
        self.assertEqual(self.answer("POST", "/logging", "level=nope")[0], 400)

    def test_allowedPaths(self) -> None:
        """What is not allowed is 403, before anything else is looked at."""
        self.router = AdminRouter(self.server, self.kit, lambda path: path.startswith("/stats?f"))
        self.assertEqual(
            self.answer("GET", "/clusters?x")[1], "request to path /clusters not allowed"
        )
        self.assertEqual(self.answer("GET", "/clusters")[0], 403)
        self.assertEqual(self.answer("GET", "/nope")[0], 403)
        self.assertEqual(self.answer("GET", "/stats?filter=x")[0], 200)

    @given(st.text())
    def test_anyPath(self, text: str) -> None:
        """A normal path begins with one slash."""
        path = normalPath("/" + text)
        self.assertTrue(path.startswith("/") and not path.startswith("//"), path)
