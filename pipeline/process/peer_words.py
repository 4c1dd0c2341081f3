"""Cleans the words of a peer before they are logged, shown or stored.

A peer may repeat our password or a handset's number, or send megabytes of control characters.
Secrets and numbers are masked before the text is cut, because half a secret would not be masked.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT: Final = 200
#: Characters that are read; the rest is dropped.
LARGEST: Final = 64 * 1024
SECRET: Final = "[secret]"  # noqa: S105 - a replacement, not a secret
NUMBER: Final = "[number]"
CUT: Final = "…"
#: A shorter secret is masked only as a whole word: `a` is in every word.
SHORT: Final = 4
_LONGEST_NUMBER: Final = 64  # characters of a number in groups (E.164 has 15 digits)
#: A shorter piece of base64 is no evidence of a secret.
_LEAST_BASE64: Final = 6
#: A date and a status (0x and eight hex digits) are not masked. A number is seven digits or more,
#: of any script, with at most two blanks, hyphens or brackets between two digits. Each branch is
#: linear: no two of its parts match the same character.
_PLAIN: Final = (
    r"(?P<plain>(?<!\d)20\d\d-[01]\d-[0-3]\d(?![\d-])|0x[0-9A-Fa-f]{1,8}(?![0-9A-Fa-f]))"
)
_NUMBER: Final = r"(?P<number>\d(?:[ ()-]{0,2}\d){6,})"

_secrets: set[str] = set()
_passing: dict[str, tuple[str, ...]] = {}  # of each holder the secrets that it may still use
#: Of all that is masked; None since a secret was added, because to compile it takes milliseconds.
_pattern: re.Pattern[str] | None = None
_longest = 0  # characters of the longest form of a secret in the pattern
#: Taken again where what is collected as garbage meanwhile logs its last words.
_lock: Final = threading.RLock()


def keep_secret(secrets: Iterable[str]) -> None:
    """From now on mask these, in each form in which a peer may repeat them."""
    global _pattern
    more = {cleaned(secret) for secret in secrets} - {""}
    with _lock:
        if not more <= _secrets:
            _secrets.update(more)
            _pattern = None


def keep_passing_secret(holder: str, secret: str) -> None:
    """Mask a secret that `holder` has for a while, and the one that it had before; no older one."""
    global _pattern
    secret = cleaned(secret)
    with _lock:
        former = _passing.get(holder, ())
        if secret and secret not in former:
            _passing[holder] = (*former[-1:], secret)
            _pattern = None


def _compiled() -> re.Pattern[str]:
    """The pattern of all that is masked by now; sets `_longest`."""
    global _pattern, _longest
    with _lock:
        if _pattern is None:
            secrets = _secrets.union(*_passing.values())
            found = {form for secret in secrets for form in _forms(secret)}
            forms = sorted(found, key=len, reverse=True)
            _longest = max((len(form) for form in forms), default=0)
            alternatives = "|".join(_alternative(form) for form in forms)
            secret = f"(?P<secret>{alternatives})|" if alternatives else ""
            _pattern = re.compile(f"{secret}{_PLAIN}|{_NUMBER}", re.IGNORECASE)
        return _pattern


def peer_words(words: str | bytes, *, limit: int = LIMIT) -> str:
    """One line of at most `limit` characters, without our secrets and handsets' numbers.

    Control characters, and characters that change the direction of writing, are removed. The time
    is linear in `words`.
    """
    text = words if isinstance(words, str) else _text_from_octets(words[:LARGEST])
    is_cut = len(words) > LARGEST
    text = masked(cleaned(text[:LARGEST]), is_cut=is_cut)
    return text if len(text) <= limit else text[: max(0, limit - 1)] + CUT


def masked(text: str, *, is_cut: bool = False) -> str:
    """`text` with secrets and numbers masked.

    A number is seven digits or more. A date (RFC 3339) and a status of eight hex digits are not
    masked. `is_cut`: the end of `text` may be half a secret, so the end is left out.
    """
    pattern = _compiled()
    end = max(0, len(text) - max(_longest, _LONGEST_NUMBER)) if is_cut else len(text)
    pieces: list[str] = []
    at = 0
    for found in pattern.finditer(text):
        if found.start() >= end:
            break
        pieces += (text[at : found.start()], _mark(found))
        at = found.end()
    return "".join((*pieces, text[at:end], CUT if is_cut else ""))


def _mark(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "plain":
            return found[0]
        case "number":
            return NUMBER
        case _:
            return SECRET


def cleaned(text: str) -> str:
    """The printable characters of `text`, with a space for each line end or other blank."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else " " if each.isspace() else ""  # of Cc, Cf, Cs, Co, Cn
        for each in text
    )


def _text_from_octets(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":  # a character was cut in two
            return octets[: error.start].decode()
        return octets.decode("latin-1")


def _alternative(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= SHORT else rf"(?<!\w){escaped}(?!\w)"


def _forms(secret: str) -> set[str]:
    """The secret itself, and its forms in URL, JSON, XML, Python, hex, base64 and ISO-8859-1."""
    octets = secret.encode()
    forms = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        "".join(f"%{octet:02x}" for octet in octets),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        escape(secret),
        escape(secret, {'"': "&quot;", "'": "&#x27;"}),
        repr(secret)[1:-1],
        repr(octets)[2:-1],
        cleaned(octets.decode("latin-1")),
    }
    if len(octets) >= SHORT:
        forms |= {octets.hex(), octets.hex(" "), octets.hex(":"), *_base64_forms(octets)}
    return {form for form in forms if form}


def _base64_forms(octets: bytes) -> set[str]:
    """The base64 of the secret, for each of the three positions at which it may begin.

    RFC 4648 4: three octets are four characters. Characters that also hold bits of a neighbouring
    octet are left out.
    """
    forms = set()
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        encoded = b64encode(bytes(before) + octets).decode().rstrip("=")
        whole = (before + len(octets)) * 8 // 6
        piece = encoded[skipped:whole]
        if len(piece) >= _LEAST_BASE64:
            forms |= {piece, piece.replace("+", "-").replace("/", "_")}
    return forms


def words_of_error(error: BaseException, *, limit: int = 300) -> str:
    """The words of an exception, cleaned by `peer_words`: they may quote a row."""
    return peer_words(str(error), limit=limit)
