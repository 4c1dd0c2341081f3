"""Decides who may call the page: this machine, by one of its names, and not from another site.

The page shows handsets' messages, and its forms send messages as a handset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.web.access import FORBIDDEN, FORWARDED, OTHER_SIGNS, ip_from_text
from pipeline.web.browser_guard import BAD_HOST, host_name_of, refuse_host, refuse_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from pipeline.web.browser_guard import BrowserRefusal

SAFETY: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a form sends `Origin: null` (Fetch 3.2)
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def refuse(request: web.BaseRequest, *, is_open: bool = False) -> BrowserRefusal | None:
    """The refusal of a request, None if it may be answered; `is_open` lets other machines call.

    In a container this machine too has another address. `Host` must still be a name of this
    machine, so that a page of another site cannot call by a browser.
    """
    peer = ip_from_text(request.remote or "")
    if peer is None or not (peer.is_loopback or is_open):
        return FORBIDDEN
    if header(request, "X-Forwarded-For", *OTHER_SIGNS):
        return FORWARDED
    return refuse_browser(request)


def refuse_browser(
    request: web.BaseRequest, host_names: Iterable[str] = ()
) -> BrowserRefusal | None:
    """The refusal of a page of another site, or of a `Host` that is no name of this machine."""
    host = header(request, "Host")
    if host and host_name_of(host) is None:
        return BAD_HOST
    return refuse_page(
        host=host,
        origin=header(request, "Origin"),
        fetch_site=header(request, "Sec-Fetch-Site"),
    ) or refuse_host(host, known=frozenset(host_names))


def header(request: web.BaseRequest, *names: str) -> bytes:
    """The values of the headers with these names, joined by commas (RFC 9110 5.3)."""
    values = [value for name in names for value in request.headers.getall(name, ())]
    return ",".join(values).encode("latin-1", "replace")
