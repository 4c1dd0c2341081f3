"""An answer to a caller as a value, and its octets on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time
from typing import Any, Final

RETRY_AFTER_SECONDS: Final = 5
TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers of one response."""

    status: int
    body: bytes = b""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()

    def as_octets(self, *, date: str, keeps_alive: bool, has_body: bool = True) -> bytes:
        """The response; `has_body` is false for HEAD (RFC 9110 9.3.2)."""
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS[self.status]}",
            f"Date: {date}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
            "Connection: keep-alive" if keeps_alive else "Connection: close",
            "\r\n",
        ]
        head = "\r\n".join(lines).encode("latin-1")
        return head + self.body if has_body else head


def http_date() -> str:
    """The current time in the form of RFC 9110 5.6.7, computed once a second."""
    return _date_of(int(time()))


@lru_cache(maxsize=1)
def _date_of(second: int) -> str:
    return formatdate(second, usegmt=True)


def words(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    """An answer with one line of text."""
    return Answer(status, f"{' '.join(text.split())}\n".encode(), TEXT, headers)


def value(status: int, content: Any, *headers: tuple[str, str]) -> Answer:
    """An answer with a value as JSON."""
    return Answer(status, json.dumps(content, ensure_ascii=False).encode() + b"\n", JSON, headers)


def unavailable(text: str) -> Answer:
    """A 503 with Retry-After: nothing was acknowledged."""
    return words(503, text, ("Retry-After", str(RETRY_AFTER_SECONDS)))


TAKEN: Final = words(200, "taken")
NOTHING_TO_TAKE: Final = words(200, "nothing to take: no parameter of a callback")
NOT_ACKNOWLEDGED: Final = unavailable("Kafka has not acknowledged it: send it again")
NOT_FOUND: Final = words(404, "there is nothing here")
BUSY: Final = unavailable("too many requests at once: send it again")
FAILED: Final = unavailable("it failed here: send it again")
