"""Clients that are not ours, at the same window, to the same counterpart."""

from __future__ import annotations

import asyncio
import ftplib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

import aiohttp
import aiosmtplib
import smpp34

from pipeline.sender.apis.api import WayName
from pipeline.wire.clickatell import message as clickatell
from pipeline.wire.clickatell.http import HttpWire
from pipeline.wire.clickatell.soap import SoapWire
from pipeline.wire.clickatell.xml import XmlWire
from tests.sender.ways.counterpart import SESSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from pipeline.records import MtCommand
    from pipeline.sender.apis.api import Api

Item = TypeVar("Item")
NAMES: Final = {
    WayName.HTTP: "bare aiohttp",
    WayName.XML: "bare aiohttp",
    WayName.SOAP: "bare aiohttp",
    WayName.SMPP: "smpp34's client",
    WayName.SMTP: "bare aiosmtplib",
    WayName.FTP: "bare ftplib in threads",
}
_WIRES: Final = {WayName.HTTP: HttpWire, WayName.XML: XmlWire, WayName.SOAP: SoapWire}
_TEXT: Final = "Thank you, we have got your message."


async def send_by_others(
    api: Api, commands: Sequence[MtCommand], *, session: str = SESSION
) -> None:
    """Send them all; the session is of the ways over HTTP."""
    if api.way in _WIRES:
        await _by_aiohttp(api, commands, session)
    else:
        await _SENDERS[api.way](api, commands)


def _lines_of(api: Api, command: MtCommand) -> bytes:
    """A message as mails and files have it."""
    login = f"api_id:{api.api_id}\r\nuser:{api.user}\r\npassword:{api.password}\r\n"
    fields = f"to:{command.handset}\r\nclimsgid: {command.command_id}\r\ntext: {_TEXT}\r\n"
    return f"{login}{fields}".encode()


async def one_after_another(
    items: Iterable[Item], window: int, send: Callable[[Item], Awaitable[object]]
) -> None:
    """So many under way at a time."""
    left = iter(items)

    async def go_on() -> None:
        for item in left:
            await send(item)

    await asyncio.gather(*(go_on() for _ in range(window)))


async def _by_aiohttp(api: Api, commands: Sequence[MtCommand], session_id: str) -> None:
    wire = _WIRES[api.way]()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), base_url=api.url
    ) as session:

        async def post(command: MtCommand) -> None:
            message = clickatell.message_from_command(
                command, callback=7, max_parts=3, required_features=0
            )
            call = wire.send(session_id, message)
            async with session.post(call.path, data=call.octets, headers=call.headers) as answer:
                answer.raise_for_status()
                await answer.read()

        await one_after_another(commands, api.window, post)


async def _by_smpp34(api: Api, commands: Sequence[MtCommand]) -> None:
    client = smpp34.Client(
        api.host,
        api.port,
        api.user,
        api.password,
        bind_type="tx",
        system_type=api.api_id,
        window_size=api.window,
    )
    session = await client.connect()
    try:

        async def submit(command: MtCommand) -> None:
            answer = await session.submit_sm(
                command.handset, command.text.encode(), source_addr=command.sender_id
            )
            if not answer.is_success:
                raise RuntimeError(f"answered {answer.command_status:#x}")

        await one_after_another(commands, api.window, submit)
    finally:
        await session.unbind()


async def _by_aiosmtplib(api: Api, commands: Sequence[MtCommand]) -> None:
    """A connection kept, mail after mail."""
    left = iter(commands)

    async def mail() -> None:
        async with aiosmtplib.SMTP(hostname=api.host, port=api.port, start_tls=False) as smtp:
            for command in left:
                mail = b"Subject: none\r\n\r\n" + _lines_of(api, command)
                await smtp.sendmail(api.mail_from, api.mail_to, mail)

    await asyncio.gather(*(mail() for _ in range(api.window)))


async def _by_ftplib(api: Api, commands: Sequence[MtCommand]) -> None:
    """A login a file, as the gateway's page has it, stored and renamed."""
    loop = asyncio.get_running_loop()

    def upload(command: MtCommand) -> None:
        name = f"{command.command_id}.txt"
        with ftplib.FTP() as ftp:  # noqa: S321 - to a server of our own on loopback
            ftp.connect(api.host, api.port)
            ftp.login(api.api_id, api.password)
            file = io.BytesIO(_lines_of(api, command))
            ftp.storbinary(f"STOR {name}.part", file)
            ftp.rename(f"{name}.part", name)

    with ThreadPoolExecutor(api.window) as threads:
        await asyncio.gather(*(loop.run_in_executor(threads, upload, each) for each in commands))


_SENDERS: Final = {
    WayName.SMPP: _by_smpp34,
    WayName.SMTP: _by_aiosmtplib,
    WayName.FTP: _by_ftplib,
}
