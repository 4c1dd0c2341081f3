"""Parses lines `name:value` of a mail or an uploaded file (Clickatell's SMTP and FTP APIs)."""

from __future__ import annotations

import re
from typing import Final

from pipeline.gateway.refusal import Refusal

LONGEST: Final = 8192  # octets of a line
_END: Final = re.compile("\r\n|\r|\n")
_TOGETHER: Final = {"text": "\r\n", "data": "", "to": ",", "reply": ","}


def sends_from(content: str) -> list[dict[str, str]]:
    """The parameters of each message, names in lower case; raises `Refusal`.

    Several `text:` are joined by a line end of two characters, several `data:` by nothing. Each
    `csv:` makes a message: a handset, then the values of #field1#, #field2# and so on in the text.
    """
    given: dict[str, str] = {}
    rows: list[str] = []
    for line in _END.split(content):
        name, colon, value = (piece.strip() for piece in line.partition(":"))
        name = name.lower()
        if not line.strip():
            continue
        if not colon or not name or len(line) > LONGEST:
            raise Refusal("110")
        if name == "csv":
            rows.append(value)
        elif name in given and name in _TOGETHER:
            given[name] += _TOGETHER[name] + value
        else:
            given[name] = value
    if "text" not in given and "data" in given:
        given["text"] = given.pop("data")
    if not rows:
        return [given]
    delimiter = given.pop("delimiter", ",") or ","
    return [_merged(given, row.split(delimiter)) for row in rows]


def _merged(given: dict[str, str], row: list[str]) -> dict[str, str]:
    text = given.get("text", "")
    for number, value in enumerate(row[1:], 1):
        text = text.replace(f"#field{number}#", value)
    return given | {"to": row[0].strip(), "text": text}
