"""Who asks, and what the caller may: the one place where a request of the report is let in.

Without users, whoever passes `pipeline/web/access.py` may do everything. A role is a set of rights;
a route says which of them it needs (`route.py`), and nothing else looks at them.
"""

from __future__ import annotations

import dataclasses
import hmac
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.web.access import OTHER_SIGNS, Access
from pipeline.web.browser_guard import BAD_HOST, host_name_of, refuse_page

if TYPE_CHECKING:
    from aiohttp import web

    from pipeline.settings import Settings
    from pipeline.web.browser_guard import BrowserRefusal


class Right(StrEnum):
    """What a caller may do or see."""

    NUMBERS = "numbers"  # handsets in full
    TEXTS = "texts"  # what was written
    DOWNLOAD = "download"  # exports
    DECIDE = "decide"  # reviews and retries
    SQL = "sql"  # statements of one's own


EVERYTHING: Final = frozenset(Right)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `name` is empty where no users are set."""

    name: str
    rights: frozenset[Right]

    def may(self, right: Right) -> bool:
        """Whether the caller has this right."""
        return right in self.rights


class Guard:
    """Lets callers in, and knows which forms are ours."""

    def __init__(self, settings: Settings) -> None:
        """Raises `AccessError` if the address is not loopback and no credentials are set."""
        self._access = Access(dataclasses.replace(settings, http_host=settings.report_host))
        self._secret = secrets.token_bytes(32)

    def caller_of(
        self, request: web.BaseRequest, *, token: bytes | None
    ) -> Caller | BrowserRefusal:
        """Who asks, or why nobody is let in. `token` is the one in the path."""
        host = request_header(request, "Host")
        refusal = (
            (BAD_HOST if host and host_name_of(host) is None else None)
            or refuse_page(
                host=host,
                origin=request_header(request, "Origin"),
                fetch_site=request_header(request, "Sec-Fetch-Site"),
            )
            or self._access.refuse(
                peer=request.remote or "",
                forwarded_for=request_header(request, "X-Forwarded-For"),
                other_signs=request_header(request, *OTHER_SIGNS),
                token=token,
                authorization=request_header(request, "Authorization"),
                host=host,
            )
        )
        return refusal or Caller(name="", rights=EVERYTHING)

    def form_token(self, caller: Caller) -> str:
        """What each form of the caller's carries: no page of another site can read it."""
        return hmac.digest(self._secret, caller.name.encode(), "sha256").hex()

    def is_own_form(self, caller: Caller, token: str) -> bool:
        """Whether a form was made by `form_token` for this caller."""
        return hmac.compare_digest(self.form_token(caller).encode(), token.encode())


def request_header(request: web.BaseRequest, *names: str) -> bytes:
    """Every value of the headers of those names, as one list (RFC 9110 5.3)."""
    values = [value for name in names for value in request.headers.getall(name, ())]
    return ",".join(values).encode("latin-1", "replace")
