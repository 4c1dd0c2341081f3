"""The cookies of the report: none is read by a script, and none is sent from another site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from aiohttp import web


def cookie_of(request: web.BaseRequest, name: str) -> str:
    """What a cookie holds; empty where there is none."""
    return request.cookies.get(name, "")


def set_cookie(
    response: web.StreamResponse,
    name: str,
    held: str,
    *,
    is_secure: bool,
    same_site: Literal["Strict", "Lax"] = "Strict",
    seconds: int | None = None,
) -> None:
    """Set a cookie for this host alone; without `seconds` until the browser ends."""
    response.set_cookie(
        name, held, path="/", httponly=True, secure=is_secure, samesite=same_site, max_age=seconds
    )


def end_cookie(response: web.StreamResponse, name: str, *, is_secure: bool) -> None:
    """Take a cookie away; one of the same attributes replaces it."""
    set_cookie(response, name, "", is_secure=is_secure, seconds=0)
