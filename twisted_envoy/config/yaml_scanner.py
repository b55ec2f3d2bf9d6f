"""
The tokens of a YAML text as yaml-cpp sees them.

Only texts that libyaml refuses come here: to be refused in Envoy's words, with Envoy's line and
column, or to be accepted after all, where yaml-cpp is the milder one of the two (tabs, control
characters).  Positions count bytes, so the text is bytes that were decoded as latin-1.

Envoy: yaml-cpp 0.8, scanner
"""

from __future__ import annotations

import re

from twisted_envoy.config.yaml_cursor import BREAK, DOCUMENT, Cursor, YAMLFault
from twisted_envoy.config.yaml_scalar import ScalarStyle, scanScalar
from twisted_envoy.config.yaml_structure import BLOCK_ENTRY, NOTHING, SURE, Structure, Token

_KEY = re.compile(r"\?(?=[ \t\r\n])")
_VALUE = re.compile(r":(?=[ \t\r\n]|\Z)")
_FLOW_VALUE = re.compile(r":(?=[ \t\r\n,\]}])")
_JSON_VALUE = re.compile(r":")
_PLAIN = re.compile(r"""[^ \t\r\n,\[\]{}#&*!|>'"%@`?:-]|[?:-](?![ \t\r\n]|\Z)""")
_FLOW_PLAIN = re.compile(r"""[^ \t\r\n?,\[\]{}#&*!|>'"%@`:-]|[:-](?![ \t]|\Z)""")
_END = re.compile(r":(?=[ \t\r\n]|\Z)|[ \t\r\n]#")
_FLOW_END = re.compile(r":(?=[ \t\r\n,\]}]|\Z)|[,?\[\]{}]|[ \t\r\n]#")
_ANCHOR = re.compile(r"[^\[\]{}, \t\r\n]*")
_ANCHOR_END = re.compile(r"[?:,\]}%@` \t\r\n]|\Z")
_BLOCK_HEADER = re.compile(r"[+-][0-9]|[0-9][+-]|[+-]|[0-9]|")
_WORD = re.compile(r"[0-9A-Za-z-]*")
_TAG = re.compile(r"(?:[0-9A-Za-z#;/?:@&=+$_.~*'()-]|%[0-9A-Fa-f]{2})*")
_URI = re.compile(r"(?:[0-9A-Za-z#;/?:@&=+$,_.!~*'()\[\]-]|%[0-9A-Fa-f]{2})*")
_SINGLE_END = re.compile(r"'(?!')")
_DOUBLE_END = re.compile(r'"')
_DIRECTIVE = re.compile(r"%[^ \t\r\n]*(?:[ \t]+[^ \t\r\n#][^ \t\r\n]*)*")


class Scanner:
    """The token queue of one text."""

    def __init__(self, text: str) -> None:
        self.cursor = Cursor(text)
        self._structure = Structure(self.cursor)
        self._scalarAllowed = True
        self._afterJSON = False
        self._finished = False

    def peek(self) -> Token | None:
        """Return the next token, once it is sure; None at the end."""
        tokens = self._structure.tokens
        while True:
            if tokens:
                if tokens[0].state == NOTHING:
                    tokens.popleft()
                    continue
                if tokens[0].state == SURE or self._finished:
                    return tokens[0]
            elif self._finished:
                return None
            self._scan()

    def pop(self) -> None:
        """Drop the next token."""
        if self.peek() is not None:
            self._structure.tokens.popleft()

    def _fault(self, text: str) -> YAMLFault:
        return YAMLFault(self.cursor.place, text)

    def _scan(self) -> None:
        """Add the next token, and those that come before it because blocks end or begin."""
        self._toNext()
        self._structure.endHere()
        cursor = self.cursor
        if cursor.ended:
            self._finish()
            return
        character = cursor.character
        block = not self._structure.flows
        if cursor.column == 0 and character == "%":
            self._directive()
        elif cursor.column == 0 and cursor.sees(DOCUMENT):
            self._document()
        elif character in "[{":
            self._flowStart()
        elif character in "]}":
            self._flowEnd()
        elif character == ",":
            self._flowEntry()
        elif cursor.sees(BLOCK_ENTRY):
            self._blockEntry()
        elif cursor.sees(_KEY):
            self._key()
        elif cursor.sees(_VALUE if block else _JSON_VALUE if self._afterJSON else _FLOW_VALUE):
            self._value()
        elif character in "*&":
            self._anchor()
        elif character == "!":
            self._tag()
        elif block and character in "|>":
            self._blockScalar()
        elif character in "'\"":
            self._quoted()
        elif cursor.sees(_PLAIN if block else _FLOW_PLAIN):
            self._plain()
        else:
            raise self._fault("unknown token" if self._scalarAllowed else "unexpected scalar")

    def _toNext(self) -> None:
        cursor = self.cursor
        while True:
            while cursor.character and cursor.character in " \t":
                if not self._structure.flows and cursor.character == "\t":
                    self._structure.keyAllowed = False
                cursor.eat()
            if cursor.character == "#":
                while not cursor.ended and not cursor.sees(BREAK):
                    cursor.eat()
            if not cursor.sees(BREAK):
                return
            cursor.take(BREAK)
            self._structure.drop()
            if not self._structure.flows:
                self._structure.keyAllowed = True
            self._scalarAllowed = True

    def _finish(self) -> None:
        self.cursor.column = 0
        self._structure.endAll()
        self._structure.forget()
        self._structure.keyAllowed = False
        self._finished = True

    def _directive(self) -> None:
        self._structure.endAll()
        self._structure.forget()
        self._structure.keyAllowed = self._afterJSON = False
        place = self.cursor.place
        self._structure.push("%", self.cursor.take(_DIRECTIVE)[1:], place)

    def _document(self) -> None:
        self._structure.endAll()
        self._structure.forget()
        self._structure.keyAllowed = self._afterJSON = False
        place = self.cursor.place
        self._structure.push(self.cursor.eat(3), "", place)

    def _flowStart(self) -> None:
        self._structure.guess()
        self._structure.keyAllowed, self._afterJSON = True, False
        place = self.cursor.place
        character = self.cursor.eat()
        self._structure.flows.append(character)
        self._structure.push(character, "", place)

    def _soloEntry(self) -> None:
        if self._structure.flows and self._structure.flows[-1] == "{" and self._structure.confirm():
            self._structure.push("value")
        elif self._structure.flows and self._structure.flows[-1] == "[":
            self._structure.drop()

    def _flowEnd(self) -> None:
        if not self._structure.flows:
            raise self._fault("illegal flow end")
        self._soloEntry()
        self._structure.keyAllowed, self._afterJSON = False, True
        place = self.cursor.place
        character = self.cursor.eat()
        if self._structure.flows[-1] + character not in ("[]", "{}"):
            raise YAMLFault(place, "illegal flow end")
        self._structure.flows.pop()
        self._structure.push(character, "", place)

    def _flowEntry(self) -> None:
        if not self._structure.flows:
            if self.cursor.column == 0:
                raise self._fault("plain value cannot start with flow indicator character")
            if not self._scalarAllowed:
                raise self._fault("unexpected scalar")
        self._soloEntry()
        self._structure.keyAllowed, self._afterJSON = True, False
        place = self.cursor.place
        self._structure.push(self.cursor.eat(), "", place)

    def _blockEntry(self) -> None:
        if self._structure.flows or not self._structure.keyAllowed:
            raise self._fault("illegal block entry")
        self._structure.begin("seq")
        self._structure.keyAllowed, self._afterJSON = True, False
        place = self.cursor.place
        self._structure.push(self.cursor.eat(), "", place)

    def _key(self) -> None:
        if not self._structure.flows:
            if not self._structure.keyAllowed:
                raise self._fault("illegal map key")
            self._structure.begin("map")
        self._structure.keyAllowed = not self._structure.flows
        place = self.cursor.place
        self.cursor.eat()
        self._structure.push("key", "", place)

    def _value(self) -> None:
        simple = self._structure.confirm()
        self._afterJSON = False
        if simple:
            self._structure.keyAllowed = False
        else:
            if not self._structure.flows:
                if not self._structure.keyAllowed:
                    raise self._fault("illegal map value")
                self._structure.begin("map")
            self._structure.keyAllowed = not self._structure.flows
        self._scalarAllowed = True
        place = self.cursor.place
        self.cursor.eat()
        self._structure.push("value", "", place)

    def _anchor(self) -> None:
        self._structure.guess()
        self._structure.keyAllowed = self._afterJSON = False
        cursor = self.cursor
        place = cursor.place
        kind = "alias" if cursor.eat() == "*" else "anchor"
        name = cursor.take(_ANCHOR)
        if not name:
            sign = "*" if kind == "alias" else "&"
            raise self._fault(f"{kind} not found after {sign}")
        if not cursor.sees(_ANCHOR_END):
            raise self._fault(f"illegal character found while scanning {kind}")
        self._structure.push(kind, name, place)

    def _tag(self) -> None:
        self._structure.guess()
        self._structure.keyAllowed = self._afterJSON = False
        cursor = self.cursor
        place = cursor.place
        cursor.eat()
        if cursor.character == "<":
            cursor.eat()
            value = cursor.take(_URI)
            if cursor.eat() != ">":
                raise self._fault("end of verbatim tag not found")
        else:
            value = "!" + cursor.take(_WORD)
            if cursor.character == "!":
                value += cursor.eat()
                suffix = cursor.take(_TAG)
                if not suffix:
                    raise self._fault("tag handle with no suffix")
                value += suffix
            else:
                odd = cursor.place
                value += cursor.take(_TAG)
                if cursor.character == "!":
                    raise YAMLFault(odd, "illegal character found while scanning tag handle")
        self._structure.push("tag", value, place)

    def _plain(self) -> None:
        if not self._scalarAllowed:
            raise self._fault("unexpected scalar")
        style = ScalarStyle(
            end=_FLOW_END if self._structure.flows else _END,
            indent=0 if self._structure.flows else self._structure.column + 1,
            trims=True,
            keepsBreaks="none",
            stopsAtDocument=True,
            refusesTabs=True,
        )
        self._structure.guess()
        place = self.cursor.place
        value, brokeOff = scanScalar(self.cursor, style)
        self._structure.keyAllowed, self._afterJSON = brokeOff, False
        self._structure.push("scalar", value, place)

    def _quoted(self) -> None:
        if not self._scalarAllowed:
            raise self._fault("unexpected scalar")
        single = self.cursor.character == "'"
        style = ScalarStyle(
            end=_SINGLE_END if single else _DOUBLE_END,
            closes=True,
            escape="'" if single else "\\",
            refusesDocument=True,
        )
        self._structure.guess()
        place = self.cursor.place
        self.cursor.eat()
        value, _ = scanScalar(self.cursor, style)
        self._structure.keyAllowed = False
        self._scalarAllowed = bool(self._structure.flows)
        self._afterJSON = True
        self._structure.push("quoted", value, place)

    def _blockScalar(self) -> None:
        cursor = self.cursor
        place = cursor.place
        style = ScalarStyle(
            fold="block" if cursor.eat() == ">" else "none",
            indent=1,
            findsIndent=True,
            eatsLeading=False,
            refusesTabs=True,
        )
        for character in cursor.take(_BLOCK_HEADER):
            if character in "+-":
                style.keepsBreaks = "all" if character == "+" else "none"
            elif character == "0":
                raise self._fault("cannot set zero indentation for a block scalar")
            else:
                style.indent, style.findsIndent = int(character), False
        while cursor.character and cursor.character in " \t":
            cursor.eat()
        if cursor.character == "#":
            while not cursor.ended and not cursor.sees(BREAK):
                cursor.eat()
        if not cursor.ended and not cursor.sees(BREAK):
            raise self._fault("unexpected character in block scalar")
        if self._structure.column >= 0:
            style.indent += self._structure.column
        value, _ = scanScalar(cursor, style)
        self._structure.keyAllowed, self._afterJSON = True, False
        self._structure.push("quoted", value, place)
