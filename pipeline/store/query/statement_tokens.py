"""Splits a statement into tokens as ClickHouse's lexer does, in one pass over the text.

Text that ClickHouse's lexer might split in another way is refused: characters beyond ASCII outside
of quotes, backslashes, `$tag$` texts, `#` comments, nested comments, a quote behind a word.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LONGEST: Final = 65_536  # characters

# Every alternative is possessive or of one character, so a failed match never backtracks.
_TOKEN: Final = re.compile(
    r"""
    (?P<blank>[ \t\r\n\f\v]++)
    | (?P<comment>--[^\n]*+ | /\*(?:[^*/]|\*(?!/)|/(?!\*))*+\*/)
    | (?P<text>'(?:[^'\\]|\\.|'')*+')
    | (?P<quoted>"(?:[^"\\]|\\.|"")*+" | `(?:[^`\\]|\\.|``)*+`)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*+(?!['"`$]))
    | (?P<number>[0-9][A-Za-z0-9_]*+(?!['"`$]))
    | (?P<parameter>\{[ \t\r\n]*+[A-Za-z_][A-Za-z0-9_]*+[ \t\r\n]*+:
        (?:[A-Za-z0-9_(), \t\r\n]|'[A-Za-z0-9_/+-]*+')*+\})
    | (?P<sign>/(?![*/]) | [-+*%=<>!|(),.;:?\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_UNCLOSED: Final = {
    "'": "a text",
    '"': "a name",
    "`": "a name",
    "/": "a comment",
    "{": "a parameter",
}


class Unreadable(ValueError):
    """The text cannot be split into tokens with certainty; the words say why."""


class Token(NamedTuple):
    """`kind` is word, quoted, text, number, parameter or sign; `text` is without its quotes."""

    kind: str
    text: str
    at: int  # characters before it

    @property
    def is_name(self) -> bool:
        """Whether it may name a function, a table or a column."""
        return self.kind in ("word", "quoted")

    def is_sign(self, sign: str) -> bool:
        """Whether it is this sign, and not a text that holds it."""
        return self.kind == "sign" and self.text == sign


def tokens_from_text(text: str) -> list[Token]:
    """The tokens, without blanks and comments; raises `Unreadable`."""
    if len(text) > LONGEST:
        raise Unreadable(f"a statement is at most {LONGEST} characters")
    if "\0" in text:
        raise Unreadable("the character NUL is not allowed")
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unreadable(_words_of_failure(text[at]))
        kind, words = match.lastgroup or "", match[0]
        if kind in ("text", "quoted"):
            words = words[1:-1]
            if kind == "quoted" and ("\\" in words or not words.isprintable()):
                raise Unreadable("a name holds a backslash or a character that cannot be seen")
        if kind not in ("blank", "comment"):
            found.append(Token(kind, words, at))
        at = match.end()
    return found


def _words_of_failure(character: str) -> str:
    if character in _UNCLOSED:
        return f"{_UNCLOSED[character]} that begins with {character} is not closed or has no place"
    if character.isascii() and character.isalnum():
        return "a quote or $ directly behind a word is not allowed"
    return f"{character!r} is allowed only within quotes"
