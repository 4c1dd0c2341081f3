"""The character sets, other than the guide's three, that are found by name: those of Python.

A codec that turns octets into octets, escapes or host names is not a character set and is left out.
The meaning of a name never depends on this machine. A name is looked up in a table, and no module
is imported by that name.
"""

from __future__ import annotations

from encodings.aliases import aliases
from typing import Final

_NOT_CHARACTER_SETS: Final = frozenset(
    {
        *("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "rot_13", "uu_codec"),
        *("zlib_codec", "mbcs"),
    }
)
# Character sets that have no alias in Python, and IANA names that Python does not have.
_MORE: Final = {
    **{
        name: name
        for name in (
            *("cp720", "cp737", "cp856", "cp874", "cp875", "cp1006", "koi8_t", "koi8_u"),
            *("mac_croatian", "mac_romanian", "mac_farsi", "mac_arabic", "utf_8_sig"),
        )
    },
    **{f"windows_{page}": f"cp{page}" for page in (874, *range(1250, 1259))},
    "windows_31j": "cp932",
    "cs_windows_31j": "cp932",
    "x_sjis": "shift_jis",
    "x_mac_cyrillic": "mac_cyrillic",
    "x_gbk": "gbk",
    "unicode_1_1_utf_8": "utf_8",
    "utf_32": "utf_32_be",  # without a byte order mark: big endian (Unicode standard, D101)
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "iso_8859_6_i": "iso8859_6",
    "iso_8859_6_e": "iso8859_6",
}
_STATEFUL: Final = ("hz", "iso2022", "utf_7")


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


CODECS: Final = {
    _plain(alias): codec
    for alias, codec in (
        *((codec, codec) for codec in aliases.values()),
        *aliases.items(),
        *_MORE.items(),
    )
    if codec not in _NOT_CHARACTER_SETS and not (alias.isdigit() and len(alias) < 3)
}
"""Python's codec, by the letters and digits of the name."""


def text_strictly(octets: bytes, codec: str) -> str | None:
    """The text of `octets`, or None when they are not valid text in this character set.

    In a codec with shift states, different octets can mean the same text. So such a text counts
    only when encoding it gives the same octets again.
    """
    try:
        text = octets.decode(codec)
        if codec.startswith(_STATEFUL) and text.encode(codec) != octets:
            return None
        text.encode()  # fails for a lone surrogate, which is not text
    except UnicodeError:
        return None
    return text if text or not octets else None
