"""Serves the page by HTTP, from the stand-in's own server; each route checks the caller."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.gateway.page.guard import SAFETY, refuse
from pipeline.gateway.page.live import Live
from pipeline.gateway.page.rendering import HERE, Rendering
from pipeline.gateway.page.showing import Showing
from pipeline.sms.segmentation import segment
from pipeline.web.access import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.gateway.page.seam import Played, Shown
    from pipeline.gateway.world import WorldEvent

STATIC: Final = {
    "page.css": ("text/css", (HERE / "static" / "page.css").read_bytes()),
    "page.js": ("text/javascript", (HERE / "static" / "page.js").read_bytes()),
    "page.svg": ("image/svg+xml", (HERE / "static" / "page.svg").read_bytes()),
}
MOST_CHARACTERS: Final = 40_000  # of one text: 255 parts (3GPP TS 23.040 9.2.3.24.1) are 39,015
_HANDSET: Final = re.compile(r"[0-9]{1,20}")
_WRITTEN: Final = re.compile(r"[\s()\-]|^(\+|00)")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def page_routes(gateway: Played) -> list[web.RouteDef]:
    """The routes of the page, for the HTTP server of the stand-in."""
    is_open = not is_loopback_host(gateway.settings.host)
    return Page(Showing(gateway), is_open=is_open).routes()


class Page:
    """Answers the requests of the page."""

    def __init__(self, shown: Shown, *, is_open: bool = False) -> None:
        self._shown = shown
        self._is_open = is_open
        self._rendering = Rendering(shown)
        self._live = Live(shown, self._rendering)

    def routes(self) -> list[web.RouteDef]:
        """The routes of the page; each first checks the caller."""
        return [
            web.get("/", self._guarded(self._whole)),
            web.get(r"/{name:page\.(?:css|js|svg)}", self._guarded(self._static)),
            web.get("/live", self._guarded(self._changes)),
            web.post("/measure", self._guarded(self._measure)),
            web.post("/phones", self._guarded(self._add_phone)),
            web.post("/phones/{handset}/texts", self._guarded(self._text)),
            web.get("/phones/{handset}/events", self._guarded(self._events)),
            web.get(r"/exchanges/{number:\d{1,15}}", self._guarded(self._exchange)),
            web.get(
                r"/exchanges/{number:\d{1,15}}/{side:received|sent}", self._guarded(self._octets)
            ),
            web.post("/faults/{name}", self._guarded(self._switch)),
        ]

    async def _whole(self, request: web.Request) -> web.StreamResponse:
        html = self._rendering.page(
            run=self._live.run,
            panel=request.query.get("panel", ""),
            pinned=request.query.get("phone", ""),
        )
        return _html(html)

    async def _static(self, request: web.Request) -> web.StreamResponse:
        kind, octets = STATIC[request.match_info["name"]]
        return web.Response(body=octets, content_type=kind, charset="utf-8")

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        seen = request.headers.get("Last-Event-ID") or request.query.get("seen", "")
        return await _stream(request, self._live.changes(seen))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        handset = _handset(request.match_info["handset"])
        seen = request.query.get("seen", "")
        at = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 16 else None
        return await _stream(request, self._live.events(handset, at))

    async def _measure(self, request: web.Request) -> web.StreamResponse:
        """Answer with the parts, the encoding and the length of a text."""
        form = await request.post()
        return web.Response(text=_measured(_text_of(form.get("text"))))

    async def _add_phone(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        handset = _handset(str(form.get("handset", "")))
        self._shown.add_phone(handset)
        return _done(request, f"/?phone={handset}#phone-{handset}")

    async def _text(self, request: web.Request) -> web.StreamResponse:
        handset = _handset(request.match_info["handset"])
        form = await request.post()
        number = _WRITTEN.sub("", str(form.get("number", "")).strip())
        text = _text_of(form.get("quick") or form.get("text"))
        if not number.isascii() or not number.isdigit() or len(number) > 20:
            raise ValueError("give the number to text, in digits")
        if not text:
            raise ValueError("give a text: an empty text is not sent")
        await self._shown.text(handset, number, text)
        heard = (e.number for e in reversed(self._shown.world.events) if e.handset == handset)
        return _done(request, f"/?phone={handset}#phone-{handset}", event=next(heard, 0))

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        event = self._event(request)
        return _html(
            self._rendering.exchange(
                event, is_piece="piece" in request.query, is_hex="hex" in request.query
            )
        )

    async def _octets(self, request: web.Request) -> web.StreamResponse:
        event, side = self._event(request), request.match_info["side"]
        name = f'attachment; filename="exchange-{event.number}-{side}.bin"'
        return web.Response(
            body=event.received if side == "received" else event.sent,
            content_type="application/octet-stream",
            headers={"Content-Disposition": name},
        )

    async def _switch(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        name = request.match_info["name"]
        try:
            self._shown.switch(name, is_on=form.get("is_on") == "1")
        except KeyError:
            raise LookupError("there is no such fault") from None
        return _done(request, "/?panel=faults")

    def _event(self, request: web.Request) -> WorldEvent:
        number = int(request.match_info["number"])
        for event in self._shown.world.events:
            if event.number == number:
                return event
        raise LookupError("there is no such exchange, or it is no longer kept")

    def _guarded(self, answer: Answer) -> Answer:
        async def guarded(request: web.Request) -> web.StreamResponse:
            refused = refuse(request, is_open=self._is_open)
            if refused:
                return web.Response(
                    status=refused.status, text=refused.words + "\n", headers=SAFETY
                )
            try:
                response = await answer(request)
            except LookupError as error:
                response = self._not_done(request, 404, str(error.args[0]))
            except ValueError as error:
                response = self._not_done(request, 400, str(error))
            if not response.prepared:
                response.headers.update(SAFETY)
            return response

        return guarded

    def _not_done(self, request: web.Request, status: int, words: str) -> web.Response:
        if "text/html" not in request.headers.get("Accept", ""):
            return web.Response(status=status, text=words + "\n")
        response = _html(self._rendering.refusal(words))
        response.set_status(status)
        return response


def _html(html: str) -> web.Response:
    return web.Response(body=html.encode(), content_type="text/html", charset="utf-8")


def _done(request: web.Request, where: str, **more: int) -> web.Response:
    """The answer to a success: JSON for a script, a redirection for a form (RFC 9110 15.4.4)."""
    if "application/json" in request.headers.get("Accept", ""):
        return web.json_response({"done": True, **more})
    return web.Response(status=303, headers={"Location": where})


async def _stream(request: web.Request, chunks: AsyncIterator[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={**SAFETY, "Content-Type": "text/event-stream"})
    await response.prepare(request)
    try:
        async for chunk in chunks:
            await response.write(chunk)
    except ConnectionResetError:
        pass  # the client has closed the stream
    return response


def _handset(text: str) -> str:
    digits = _WRITTEN.sub("", text.strip())
    if not _HANDSET.fullmatch(digits):
        raise ValueError("a handset must be digits, with the country code")
    return digits


def _text_of(value: object) -> str:
    text = value.replace("\r\n", "\n") if isinstance(value, str) else ""
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"a text has at most {MOST_CHARACTERS:,} characters")
    return text


def _measured(text: str) -> str:
    if not text:
        return ""
    said = segment(text)
    parts = f"{said.parts} parts" if said.parts > 1 else "1 part"
    return f"{parts} · {'GSM 7-bit' if said.encoding == 'gsm7' else 'UCS-2'} · {said.units}"
