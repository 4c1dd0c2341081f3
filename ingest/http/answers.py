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
PROBLEM: Final = "application/problem+json"
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


def value(status: int, content: Any, *headers: tuple[str, str], kind: str = JSON) -> Answer:
    """An answer with a value as JSON, in one line."""
    return Answer(status, json.dumps(content, ensure_ascii=False).encode() + b"\n", kind, headers)


def problem(status: int, detail: str, *headers: tuple[str, str]) -> Answer:
    """A refusal as problem details of the type about:blank (RFC 9457 3.1, 4.2.1)."""
    content = {"title": _REASONS[status], "status": status, "detail": " ".join(detail.split())}
    return value(status, content, *headers, kind=PROBLEM)


def unavailable(detail: str) -> Answer:
    """A 503 with Retry-After: nothing was acknowledged."""
    return problem(503, detail, ("Retry-After", str(RETRY_AFTER_SECONDS)))


TAKEN: Final = Answer(200, b"taken\n")
NOTHING_TO_TAKE: Final = Answer(200, b"nothing to take: no parameter of a callback\n")
NOT_ACKNOWLEDGED: Final = unavailable("Kafka has not acknowledged it: send it again")
NOT_FOUND: Final = problem(404, "there is nothing here")
BUSY: Final = unavailable("too many requests at once: send it again")
FAILED: Final = unavailable("it failed here: send it again")
