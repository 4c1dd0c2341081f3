"""Whether a log holds a number, a text or a secret that was sent, in any form of writing.

    search = Search(texts=…, secrets=…, rented=…)
    assert not list(search.of(logs_of(home)))

A number is searched as digits, as grouped digits and as octets; any handset of the tests is found
without being named. Texts and secrets are searched as JSON, Python, hex, a URL and base64 write
them.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SHORTEST: Final = 8  # characters of a text: "ok" and "yes" are anywhere
SHORTEST_SECRET: Final = 6
#: Handsets of the tests are British or South African. Ids of the chaos begin with a handset, and
#: have more digits.
_HANDSET: Final = re.compile(
    r"(?<![0-9])(?:44[ -]?7[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}|2782[0-9]{7})(?![0-9])"
)
_HANDSET_HEX: Final = re.compile(r"(?:343437|32373832)(?:3[0-9]){7,9}(?!3[0-9])")


class Search:
    """A search for these, and for every handset of the tests except `rented`, our own numbers."""

    def __init__(
        self,
        *,
        texts: Iterable[str],
        secrets: Iterable[str] = (),
        rented: Iterable[str] = (),
    ) -> None:
        self._rented = frozenset(rented)
        self._forms = {
            form: f"the text {text!r}"
            for text in texts
            for form in _forms(text.strip())
            if len(form) >= SHORTEST
        } | {
            form: f"the secret {secret!r}"
            for secret in secrets
            for form in (*_forms(secret), *_base64(secret))
            if len(form) >= SHORTEST_SECRET
        }

    def of(self, logs: Iterable[Path]) -> Iterator[str]:
        """What was found, and where, in words."""
        for log in logs:
            with log.open(errors="replace") as lines:
                for number, line in enumerate(lines, 1):
                    for what in self.in_line(line):
                        yield f"{log.name}, line {number}: {what}"

    def in_line(self, line: str) -> Iterator[str]:
        """What is found in a line."""
        for found in _HANDSET.findall(line):
            digits = re.sub("[^0-9]", "", found)
            if digits not in self._rented:
                yield f"the handset {digits}"
        folded = line.lower()
        for found in _HANDSET_HEX.findall(folded):
            yield f"a handset as octets {found}"
        for form, what in self._forms.items():
            if form in folded:
                yield what


def logs_of(home: Path) -> list[Path]:
    """All logs of our processes under a home, and what they left for `status`.

    Segments of Kafka and the journal of a database are called .log, too: they are deeper. The
    gateway's mo.log is input.
    """
    found = {
        *(each for each in home.glob("*.log") if each.name != "mo.log"),
        *home.glob("log"),
        *(home / "logs").rglob("*.log*"),
    }
    return sorted({*found, *(home / "troubles").glob("*.json*")})


def refuse_handsets_in_logs(home: Path) -> None:
    """Fail if a log of the home holds the number of any handset."""
    rented = rented_in("".join(file.read_text() for file in home.glob("*.toml")))
    found = list(Search(texts=(), rented=rented).of(logs_of(home)))
    assert not found, found[:20]


def processes_without_log(home: Path, names: Iterable[str]) -> list[str]:
    """The processes without a log: nothing of theirs was searched."""
    return [
        name
        for name in names
        if not any(log.stat().st_size for log in (home / "logs").glob(f"{name}.log"))
    ]


def _forms(text: str) -> Iterator[str]:
    """The forms in which a text may be in a log, in lower case."""
    octets = [text.encode(codec, "ignore") for codec in ("utf-8", "latin-1", "utf-16-be")]
    yield from (text.lower(), json.dumps(text)[1:-1].lower(), ascii(text)[1:-1].lower())
    for each in octets:
        yield from (each.hex(), each.hex(" "), quote(each).lower(), quote_plus(each).lower())
        yield repr(each)[2:-1].lower()


def _base64(secret: str) -> Iterator[str]:
    """Base64 for each of the three offsets, without the characters that neighbours share."""
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(secret.encode())) * 8 // 6
        yield b64encode(bytes(before) + secret.encode()).decode()[skipped:whole].lower()


def rented_in(numbers_toml: str) -> frozenset[str]:
    """The numbers of a directory: they are ours, and may be logged."""
    return frozenset(re.findall(r'^number = "([0-9]+)"', numbers_toml, re.MULTILINE))
