"""Who may see the page: this machine, by one of its own names, and no page of another site.

The page holds the words of handsets and the password of an account, and its forms send messages as
a handset.
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
    "Referrer-Policy": "same-origin",  # with no-referrer a form says `Origin: null` (Fetch 3.2)
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def refuse(request: web.BaseRequest, *, is_open: bool = False) -> BrowserRefusal | None:
    """None when the request may be answered; `is_open`: other machines may ask, too.

    In a container even this machine has another address. The Host is one of this machine's all the
    same: then a browser's page of another site cannot ask.
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
    """None unless a page of another site asks, or by a name that is not this machine's."""
    host = header(request, "Host")
    if host and host_name_of(host) is None:
        return BAD_HOST
    return refuse_page(
        host=host,
        origin=header(request, "Origin"),
        fetch_site=header(request, "Sec-Fetch-Site"),
    ) or refuse_host(host, known=frozenset(host_names))


def header(request: web.BaseRequest, *names: str) -> bytes:
    """Every value of the headers of those names, as one list (RFC 9110 5.3)."""
    values = [value for name in names for value in request.headers.getall(name, ())]
    return ",".join(values).encode("latin-1", "replace")
