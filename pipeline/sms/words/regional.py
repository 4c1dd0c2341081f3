"""The texts of short octets in the charsets of regions and hosts, which our gateways never name.

`plausible` has the decodings that a gateway may have meant. A telephone or a gateway elsewhere may
have written a stop word in a charset of its own, and this module looks for that. The text of a
message never comes from these charsets.
"""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 64
"""Octets. A stop word is shorter than this in each of these charsets."""

_CODECS: Final = (
    *("cp037", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1258", "cp874"),
    *("koi8-r", "iso8859-2", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9"),
    *("cp850", "cp866", "mac-cyrillic", "gb18030", "big5", "shift-jis", "euc-jp", "euc-kr"),
)
_ASCII: Final = bytes(range(128))
#: Those that read octets of ASCII otherwise; all others give the same text.
_NOT_OF_ASCII: Final = (
    "ascii",
    *(codec for codec in _CODECS if _ASCII.decode(codec) != _ASCII.decode("ascii")),
)
_UNICODE: Final = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def regional_texts(octets: bytes) -> tuple[str, ...]:
    """The texts of `octets` in the charsets in which they are valid, each once.

    More than 64 octets give no text.
    """
    if len(octets) > _LONGEST:
        return ()
    found: dict[str, None] = {}
    for codec in _NOT_OF_ASCII if octets.isascii() else _CODECS:
        try:
            found[octets.decode(codec)] = None
        except UnicodeDecodeError:
            continue
    return tuple(found)


def octets_in_any(text: str) -> tuple[bytes, ...]:
    """The octets that read as `text` in one of these charsets, or in a Unicode encoding."""
    found: dict[bytes, None] = {}
    for codec in (*_CODECS, *_UNICODE):
        try:
            found[text.encode(codec)] = None
        except UnicodeEncodeError:
            continue
    return tuple(found)
