"""Tests for `twisted_envoy.server.admin.home`."""

from __future__ import annotations

from tests.server.admin.support import PageTestCase
from twisted_envoy.server.admin.home import ALL_PAGES, BY_PATH, help, helpText, home, notFound


class HomeTests(PageTestCase):
    """/ and /help."""

    def test_help(self) -> None:
        """Sorted by path; POST, parameters and choices as Envoy prints them."""
        lines = self.ask(help).text().splitlines()
        self.assertEqual(lines[0], "admin commands are:")
        self.assertEqual(lines[1], "  /: Admin home page")
        paths = [line.split(":")[0].split()[0] for line in lines if line.startswith("  /")]
        self.assertEqual(paths, sorted(paths))
        for line in (
            "  /healthcheck/fail (POST): cause the server to fail health checks",
            "      format: File format to use; One of (text, json)",
            "  /help: print out list of admin commands",
        ):
            self.assertIn(line, lines)

    def test_notFound(self) -> None:
        """The same list under another line."""
        reply = notFound()
        self.assertEqual(reply.code, 404)
        self.assertEqual(reply.text(), "invalid path. admin commands are:\n" + helpText())

    def test_home(self) -> None:
        """Every page but this one has a link or a form, every parameter a field."""
        reply = self.ask(home)
        self.assertEqual(reply.contentType, "text/html; charset=UTF-8")
        for page in ALL_PAGES[1:]:
            name = page.path[1:]
            self.assertTrue(
                f"<a href='{name}'>" in reply.text() or f"action='{name}'" in reply.text(), name
            )
            for parameter in page.parameters:
                self.assertIn(f" name='{parameter.name}' ", reply.text())

    def test_words(self) -> None:
        """Nothing of the table can break the page."""
        self.assertIn("&lt;logger_name1&gt;", self.ask(home).text())

    def test_paths(self) -> None:
        """No page twice."""
        self.assertEqual(len(BY_PATH), len(ALL_PAGES))
