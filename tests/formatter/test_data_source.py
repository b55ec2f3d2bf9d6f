"""Tests for twisted_envoy.formatter.data_source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.formatter.views import viewOfYAML
from twisted_envoy.errors import ConfigError
from twisted_envoy.formatter.data_source import readDataSource, readFilledSource

DATA_SOURCE = "envoy.config.core.v3.DataSource"


class ReadDataSourceTests(SynchronousTestCase):
    def read(self, yaml: str, read: Callable[[Any], bytes] = readDataSource) -> bytes:
        return read(viewOfYAML(DATA_SOURCE, yaml))

    def test_inline(self) -> None:
        """Texts and base64 bytes of the config."""
        self.assertEqual(self.read("inline_string: é"), "é".encode())
        self.assertEqual(self.read("inline_bytes: aGVsbG8K"), b"hello\n")

    def test_environment(self) -> None:
        """A variable's value; an unknown one is an error."""
        self.patch(__import__("os"), "environ", {"A_FORMAT": "x"})

        self.assertEqual(self.read("environment_variable: A_FORMAT"), b"x")
        error = self.assertRaises(ConfigError, self.read, "environment_variable: NOPE_X")
        self.assertEqual(error.problem, "Environment variable doesn't exist: NOPE_X")

    def test_file(self) -> None:
        """A file's content, as it is now."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"from a file")

        self.assertEqual(self.read(f"filename: {path}"), b"from a file")

    def test_fileErrors(self) -> None:
        """A missing file and one that is no file."""
        missing = self.assertRaises(ConfigError, self.read, "filename: /nope")
        folder = self.assertRaises(ConfigError, self.read, "filename: /")

        self.assertEqual(missing.problem, "Invalid path: /nope")
        self.assertEqual((missing.position.line if missing.position else 0), 1)
        self.assertIn("unable to read file: /", folder.problem)

    def test_nothing(self) -> None:
        """One of them has to be there."""
        self.assertRaises(ConfigError, self.read, "{}")

    def test_filled(self) -> None:
        """Where nothing is not enough; a device is no file then."""
        path = self.mktemp()
        open(path, "w").close()
        for text, words in (
            (f"filename: {path}", f"file {path} is empty"),
            ("filename: /dev/null", "Invalid path: /dev/null"),
            ("filename: /nope", "Invalid path: /nope"),
            ("inline_string: ''", "DataSource cannot be empty"),
        ):
            error = self.assertRaises(ConfigError, self.read, text, readFilledSource)
            self.assertEqual(error.problem, words)
        self.assertEqual(self.read("inline_string: x", readFilledSource), b"x")
