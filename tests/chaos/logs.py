"""Whether a log has a number or a text of what was sent, as it is or as octets are written."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, quote_plus

from tests.chaos.driver import TEXT
from tests.chaos.traffic import LONG, TEXTS, WIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.chaos.checker import Findings


class Noting(Protocol):
    """Takes what was found."""

    def add(self, kind: str, words: str) -> None: ...


KIND: Final = "in a log"
SHORTEST: Final = 8  # characters: "ok" and "yes" are anywhere
#: Of ids, which begin with the handset's number in this traffic, nothing is told here.
_NUMBER: Final = re.compile(r"(?<![0-9])4478[0-9]{8}(?![0-9])")


def check_logs(findings: Findings, home: Path, handsets: Iterable[str]) -> None:
    """Search every log of a home for these handsets and for all that texts are made of."""
    texts = (*(t for t in TEXTS if len(t) >= SHORTEST), LONG, WIDE, TEXT)
    check_texts(findings, home, handsets, texts)


def check_texts(
    findings: Noting, home: Path, handsets: Iterable[str], texts: Iterable[str]
) -> None:
    """Search every log of a home for these handsets and these texts."""
    sent = frozenset(handsets)
    forms = dict(_forms(texts))
    # Beside these lie Kafka's segments and a database's journal, which are called .log, too.
    for path in sorted((*home.glob("*.log"), *(home / "logs").rglob("*.log*"))):
        with path.open(errors="replace") as log:
            for number, line in enumerate(log, 1):
                where = f"{path.name}, line {number}"
                for handset in sent.intersection(_NUMBER.findall(line)):
                    findings.add(KIND, f"{where}: handset {handset}")
                folded = line.lower()
                for form in forms:
                    if form in folded:
                        findings.add(KIND, f"{where}: the text {forms[form]!r}")


def _forms(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """How a text may stand in a log, in lower case, and the text."""
    for text in texts:
        words = text.strip()
        octets = [words.encode(codec, "ignore") for codec in ("utf-8", "latin-1", "utf-16-be")]
        written = [words, json.dumps(words)[1:-1], ascii(words)[1:-1]]
        written += [form for each in octets for form in (each.hex(), quote(each), quote_plus(each))]
        written += [repr(each)[2:-1] for each in octets]
        for form in written:
            if len(form) >= SHORTEST:
                yield form.lower(), words
