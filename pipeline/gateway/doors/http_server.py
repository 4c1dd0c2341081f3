"""The server of HTTP, XML and SOAP: one port for all, like api.clickatell.com."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.gateway.doors import soap, xml
from pipeline.gateway.doors.control import Control
from pipeline.gateway.doors.lying import Answer, answered
from pipeline.gateway.doors.operations import line_of, replies
from pipeline.gateway.masking import masked_request
from pipeline.gateway.page.guard import refuse_browser
from pipeline.gateway.page.server import page_routes
from pipeline.wire.http_form import text_from_variable
from pipeline.wire.percent import octets_from_percent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pipeline.gateway.ground import Ground

LARGEST: Final = 4 * 1024 * 1024  # octets of a request
MOST_KEPT: Final = 65_536  # octets of an answer's body that events keep
_HTTP: Final = ("auth", "ping", "sendmsg", "querymsg", "delmsg", "getmsgcharge", "getbalance")


class HttpServer:
    """One server for the HTTP, XML and SOAP APIs, the page and the commands."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.tls_port = 0

    async def start(self) -> None:
        """Listen on `port` and `tls_port`; raises `OSError` if a port is in use."""
        app = web.Application(client_max_size=LARGEST, middlewares=[self._refuse_other_sites])
        for operation in _HTTP:
            for path in (f"/http/{operation}", f"/http/{operation}.php"):
                app.router.add_route("*", path, self._operation(operation))
        for path in ("/utils/routeCoverage", "/utils/routeCoverage.php"):
            app.router.add_route("*", path, self._operation("routecoverage"))
        app.router.add_route("*", "/xml/xml", self._xml)
        for path in ("/soap/webservice.php", "/soap/webservice", "/soap/rpc_encoded/webservice"):
            app.router.add_route("*", path, self._soap)
        app.add_routes(page_routes(self._gateway))
        Control(self._gateway).add_to(app)
        settings = self._gateway.settings
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, settings.host, settings.http_port).start()
        self.port = self._runner.addresses[0][1]
        secret = self._gateway.certificates.context(
            lambda: self._gateway.meets_wrong_certificate("http")
        )
        site = web.TCPSite(self._runner, settings.host, settings.https_port, ssl_context=secret)
        await site.start()
        self.tls_port = self._runner.addresses[1][1]

    @web.middleware
    async def _refuse_other_sites(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse a browser's request from another site: any site knows the demo's password."""
        refused = refuse_browser(request, self._gateway.settings.host_names)
        if refused is None:
            return await handler(request)
        return web.Response(status=refused.status, text=f"{refused.words}\n")

    async def stop(self) -> None:
        """Stop the server and its connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _operation(self, operation: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            octets = await request.read()
            given = variables_of(request.rel_url.raw_query_string.encode(), octets)
            shown = _whole(request, octets)

            def take() -> Answer:
                found = replies(self._gateway, operation, "http", given, shown)
                lines = "\n".join(line_of(operation, reply) for reply in found)
                return Answer(lines.encode(), "text/plain")

            sends = given if operation == "sendmsg" else {}
            return await self._answer(request, "http", sends, shown, take)

        return serve

    async def _xml(self, request: web.Request) -> web.StreamResponse:
        octets = await request.read()
        given = variables_of(request.rel_url.raw_query_string.encode(), octets)
        commands = xml.commands_from(given.get("data", ""))
        shown = _whole(request, octets)

        def take() -> Answer:
            return Answer(xml.answer(self._gateway, commands, shown), "text/xml")

        sends = [values for name, values in commands or () if name == "sendMsg"]
        return await self._answer(request, "xml", sends[0] if sends else {}, shown, take)

    async def _soap(self, request: web.Request) -> web.StreamResponse:
        octets = await request.read()
        if request.method == "GET":
            url = f"http://{request.host}{request.path}"
            return web.Response(body=soap.wsdl(url), content_type="text/xml")
        call = soap.call_from(octets)
        shown = _whole(request, octets, password=call.given.get("password", "") if call else "")

        def take() -> Answer:
            return Answer(soap.answer(self._gateway, call, shown), "text/xml")

        is_send = call is not None and call.operation == "sendmsg"
        sends = call.given if call and is_send else {}
        return await self._answer(request, "soap", sends, shown, take)

    async def _answer(
        self,
        request: web.Request,
        way: str,
        given: Mapping[str, str],
        shown: bytes,
        take: Callable[[], Answer],
    ) -> web.StreamResponse:
        handset = given.get("to", "").partition(",")[0]
        response = await answered(self._gateway, request, way, handset, take)
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            self._gateway.world.answer(shown, _head_of(response) + response.body[:MOST_KEPT])
        return response


def _head_of(response: web.Response) -> bytes:
    head = f"HTTP/1.1 {response.status} {response.reason}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in response.headers.items()
    )
    return f"{head}\r\n".encode("latin-1", "replace")


def variables_of(query: bytes, body: bytes) -> dict[str, str]:
    """Parse a query and a form: each variable by its name in lower case.

    `text` is decoded by the variable `charset`, by default ISO-8859-1.
    """
    pairs = [pair.partition(b"=") for part in (query, body) for pair in part.split(b"&") if pair]
    octets = {
        (octets_from_percent(name) or name).decode("latin-1").lower(): octets_from_percent(value)
        or b""
        for name, _, value in pairs
    }
    text = octets.pop("text", b"")
    charset = text_from_variable(octets.get("charset", b"")) or "latin-1"
    given = {name: text_from_variable(value) for name, value in octets.items()}
    try:
        return given | {"text": text.decode(charset)}
    except (LookupError, UnicodeDecodeError):
        return given | {"text": text.decode("latin-1")}


def _whole(request: web.Request, body: bytes, *, password: str = "") -> bytes:
    """The octets of the request, with its password masked."""
    head = f"{request.method} {request.raw_path} HTTP/1.1\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    octets = f"{head}{lines}\r\n".encode("utf-8", "surrogateescape") + body
    return masked_request(octets, password=password)
