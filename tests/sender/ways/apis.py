"""APIs of a counterpart on loopback, and the submissions that they get."""

from __future__ import annotations

from typing import Any

from pipeline.sender.apis.api import Api, WayName
from pipeline.sender.way import Submission
from tests.support.commands import command_of

SECRET = "hush-hus"
USER = "customer"


def api_of(way: WayName, port: int, **given: Any) -> Api:
    """An API at this port; the time for its answers is short."""
    fields: dict[str, Any] = {
        "api_id": "1234",
        "way": way,
        "host": "127.0.0.1",
        "port": port,
        "user": USER,
        "password": SECRET,
        "tls": "off",
        "timeout_seconds": 5.0,
    }
    return Api(**fields | given)


def submission_of(
    text: str = "Simple Message", *, parts: tuple[int, ...] = (), **given: Any
) -> Submission:
    """The first attempt of a command."""
    return Submission(command=command_of(text=text, **given), attempt=1, parts=parts)


def always() -> bool:
    """A permit that does not end."""
    return True


def never() -> bool:
    """A permit that has ended."""
    return False
