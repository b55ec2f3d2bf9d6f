"""`config.core.v3.DataSource`: a text from the config, a file or the environment."""

from __future__ import annotations

import os
from typing import Any


def readDataSource(view: Any) -> bytes:
    """
    The bytes that a DataSource names, read now.

    Args:
        view: the DataSource's View.
    Raises:
        ConfigError: there is no such file or variable.
    """
    kind = view.which("specifier")
    if kind == "inline_string":
        text: str = view.inline_string
        return text.encode()
    if kind == "inline_bytes":
        return bytes(view.inline_bytes)
    if kind == "environment_variable":
        name = view.environment_variable
        value = os.environ.get(name)
        if value is None:
            raise view.error(f"Environment variable doesn't exist: {name}", kind)
        return value.encode("utf-8", "surrogateescape")
    if kind == "filename":
        return _readFile(view, view.filename)
    raise view.error('field: "specifier", reason: is required')


def readFilledSource(view: Any) -> bytes:
    """
    The same where nothing is not enough.

    Raises:
        ConfigError: it names nothing, or what has no bytes.
    """
    isFile = requireRegular(view)
    data = readDataSource(view)
    if not data:
        text = f"file {view.filename} is empty" if isFile else "DataSource cannot be empty"
        raise view.error(text)
    return data


def requireRegular(view: Any) -> bool:
    """
    Whether a DataSource names a file, which then is a regular one.

    Raises:
        ConfigError: it names a folder or a device.
    """
    isFile: bool = view.which("specifier") == "filename"
    if isFile and os.path.exists(view.filename) and not os.path.isfile(view.filename):
        raise view.error(f"Invalid path: {view.filename}", "filename")
    return isFile


def _readFile(view: Any, path: str) -> bytes:
    if not os.path.exists(path):
        raise view.error(f"Invalid path: {path}", "filename")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise view.error(f"unable to read file: {path} ({error.strerror})", "filename") from error
