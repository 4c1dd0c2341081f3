"""The statement in the body of a request to /sql."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.process.peer_words import words_of_error
from pipeline.store.query.statement_text import Refused


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON form of a statement for /sql."""

    query: str
    parameters: dict[str, Any] = {}


def question_from_octets(body: bytes, content_type: str) -> Question:
    """The statement in a body: JSON if the Content-Type says so, else SQL as text.

    Raises `Refused`.
    """
    try:
        if content_type == "application/json":
            return msgspec.json.decode(body, type=Question)
        return Question(body.decode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"the body cannot be read: {words_of_error(error)}") from error
