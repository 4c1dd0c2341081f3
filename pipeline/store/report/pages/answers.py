"""Answers that are pages, and answers that lead to one."""

from __future__ import annotations

from aiohttp import web


def html_answer(page: str) -> web.Response:
    """A page."""
    return web.Response(text=page, content_type="text/html")


def see_other(where: str) -> web.Response:
    """Where to go on after a form (RFC 9110 15.4.4)."""
    return web.Response(status=303, headers={"Location": where})
