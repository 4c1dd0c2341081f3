"""The character sets beyond the guide's three that are read by name: Python's, and no other codec.

A codec that turns octets into octets, escapes or host names is no character set; what a name means
never depends on this machine. Names are looked up in a table, never imported.
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
# Character sets without an alias in Python, and IANA names that Python does not have.
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
    "utf_32": "utf_32_be",  # without a mark: big endian, as the Unicode standard has it (D101)
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
"""Python's codec by the letters and digits of a name."""


def text_strictly(octets: bytes, codec: str) -> str | None:
    """The text of `octets`; None where they are not of that character set.

    Where shifts carry a state, other octets could hide in it: those are read only that come out as
    they were.
    """
    try:
        text = octets.decode(codec)
        if codec.startswith(_STATEFUL) and text.encode(codec) != octets:
            return None
        text.encode()  # a lone surrogate is no text
    except UnicodeError:
        return None
    return text if text or not octets else None
