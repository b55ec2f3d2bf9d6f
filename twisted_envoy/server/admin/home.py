"""`/` and `/help`: the table of pages, for people."""

from __future__ import annotations

from html import escape

from twisted_envoy.server.admin.json_text import MessageKit
from twisted_envoy.server.admin.pages import PAGES, Page, Parameter
from twisted_envoy.server.admin.reply import HTML, Query, Reply
from twisted_envoy.server.admin.target import AdminTarget

_STYLE = (
    "body {font-family: sans-serif} table {border-collapse: collapse} td {padding: 4px; "
    "vertical-align: top} td.option {text-align: right; padding-left: 20px} "
    "form {margin: 0} tbody:nth-child(even) {background-color: #dddddd}"
)


def help(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """The pages and their parameters."""
    return Reply("admin commands are:\n" + helpText())


def notFound() -> Reply:
    """For a path that is no page."""
    return Reply("invalid path. admin commands are:\n" + helpText(), 404)


def home(target: AdminTarget, kit: MessageKit, query: Query) -> Reply:
    """The pages as links and buttons."""
    rows = "".join(_rows(number, page) for number, page in enumerate(ALL_PAGES) if page.path != "/")
    return Reply(
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n  <title>Envoy Admin</title>\n"
        f"  <style>{_STYLE}</style>\n</head>\n<body>\n  <table class='home-table'>\n"
        "    <thead><tr><th>Command</th><th>Description</th></tr></thead>\n"
        f"{rows}  </table>\n</body>\n</html>\n",
        contentType=HTML,
    )


ALL_PAGES = tuple(
    sorted(
        (
            *PAGES,
            Page("/", "Admin home page", home),
            Page("/help", "print out list of admin commands", help),
        ),
        key=lambda page: page.path,
    )
)
BY_PATH = {page.path: page for page in ALL_PAGES}


def helpText() -> str:
    """What `/help` lists."""
    return "".join(_helpLines(page) for page in ALL_PAGES)


def _helpLines(page: Page) -> str:
    lines = [f"  {page.path}{' (POST)' if page.mutates else ''}: {page.help}\n"]
    for parameter in page.parameters:
        choices = f"; One of ({', '.join(parameter.choices)})" if parameter.choices else ""
        lines.append(f"      {parameter.name}: {parameter.help}{choices}\n")
    return "".join(lines)


def _rows(number: int, page: Page) -> str:
    name = page.path[1:]
    form = f"page-{number}"
    if page.mutates or page.parameters:
        method = "post" if page.mutates else "get"
        command = (
            f"<form action='{name}' method='{method}' id='{form}'><button>{name}</button></form>"
        )
    else:
        command = f"<a href='{name}'>{name}</a>"
    rows = [f"      <tr><td>{command}</td><td>{escape(page.help)}</td></tr>\n"]
    rows += [
        f"      <tr><td class='option'>{_field(form, parameter)}</td>"
        f"<td>{escape(parameter.help)}</td></tr>\n"
        for parameter in page.parameters
    ]
    return f"    <tbody>\n{''.join(rows)}    </tbody>\n"


def _field(form: str, parameter: Parameter) -> str:
    if parameter.choices:
        options = "".join(f"<option value='{one}'>{one}</option>" for one in parameter.choices)
        return f"<select name='{parameter.name}' form='{form}'>{options}</select>"
    kind = "checkbox" if parameter.name in _FLAGS else "text"
    return f"<input type='{kind}' name='{parameter.name}' form='{form}'>"


_FLAGS = frozenset(
    (
        "graceful",
        "skip_exit",
        "inboundonly",
        "usedonly",
        "include_eds",
        "invert_filter",
        "text_readouts",
    )
)
