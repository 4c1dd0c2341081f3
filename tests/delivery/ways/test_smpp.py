"""SMPP: an application binds to us; smpplib is the application, and one that breaks the rules."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import smpplib.client
import smpplib.consts

from pipeline.delivery.secrets_file import Credentials
from pipeline.delivery.smpp import session as session_module
from pipeline.delivery.smpp.door import DoorError, SmppDoor
from pipeline.delivery.ways.smpp import SmppReplyWay
from pipeline.settings import Settings
from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.bind import Bind
from pipeline.wire.smpp.pdu import ANSWER, Command, Framer, Pdu
from tests.delivery.test_forms import part, path_by
from tests.delivery.ways.test_http import order_by
from tests.support.delivering import message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.delivery.way import Seen

USER, WORD = "crm-esme", "pw-eight"
LOGINS = {
    "crm": Credentials(user=USER, password=WORD),
    "other": Credentials(user="other", password="other-pw"),  # noqa: S106 - of a test
    "signed": Credentials(),
}


@asynccontextmanager
async def listening() -> AsyncIterator[SmppDoor]:
    door = SmppDoor(LOGINS, Settings())
    await door.listen(0)
    try:
        yield door
    finally:
        await door.stop()
        await asyncio.sleep(0)


async def handed_on(door: SmppDoor, record: Any = None, *, name: str = "crm") -> Seen:
    path = path_by("smpp", name=name, url="", timeout_seconds=2)
    given = record or message()
    return await SmppReplyWay(path, door).deliver(order_by(path, message()), given)


class Esme(threading.Thread):
    """smpplib's client, bound as a receiver until it is told to leave."""

    def __init__(self, port: int, *, binds: str = "receiver", password: str = WORD) -> None:
        super().__init__(daemon=True)
        self.got: list[Any] = []
        self.bound = threading.Event()
        self.failed = ""
        self._port, self._binds, self._password = port, binds, password
        self._leaves = threading.Event()

    def run(self) -> None:
        client = smpplib.client.Client("127.0.0.1", self._port, allow_unknown_opt_params=True)
        client.set_message_received_handler(self._take)
        try:
            client.connect()
            bind = getattr(client, f"bind_{self._binds}")
            bind(system_id=USER, password=self._password)
            self.bound.set()
            client._socket.settimeout(0.1)
            while not self._leaves.is_set():
                try:
                    client.read_once(auto_send_enquire_link=False)
                except smpplib.exceptions.ConnectionError:
                    break
            client.unbind()
        except Exception as error:
            self.failed = str(error)
            self.bound.set()
        finally:
            client.disconnect()

    def leave(self) -> None:
        self._leaves.set()

    def _take(self, pdu: Any) -> int:
        self.got.append(pdu)
        return smpplib.consts.SMPP_ESME_ROK


class Raw:
    """An application that answers what a test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self._framer = reader, writer, Framer()
        self._pdus: list[Pdu] = []

    @classmethod
    async def connected(cls, port: int) -> Raw:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, pdu: Pdu) -> None:
        self.writer.write(smpp_pdu.render(pdu))

    async def next(self) -> Pdu | None:
        while not self._pdus:
            octets = await self.reader.read(65_536)
            if not octets:
                return None
            found = (smpp_pdu.parse(each) for each in self._framer.feed(octets))
            self._pdus += [pdu for pdu in found if pdu is not None]
        return self._pdus.pop(0)

    async def bind(self, password: str = WORD, user: str = USER) -> int:
        body = smpp_bind.render(Bind(system_id=user, password=password))
        self.send(Pdu(Command.BIND_TRANSCEIVER, 0, 1, body))
        answer = await self.next()
        assert answer is not None
        return answer.status


@pytest.fixture
def quiet_smpplib(monkeypatch: pytest.MonkeyPatch) -> None:
    """It warns where a client is dropped while it is bound."""
    monkeypatch.setattr(smpplib.client.Client, "__del__", lambda _: None)


@pytest.mark.usefixtures("quiet_smpplib")
async def test_another_implementation_binds_and_is_given_the_message() -> None:
    async with listening() as door:
        assert (await handed_on(door)).is_nobody_there
        esme = Esme(door.port)
        esme.start()
        await asyncio.to_thread(esme.bound.wait, 5)
        seen = await handed_on(door)
        assert (seen.is_delivered, seen.status) == (True, "0x00000000")
        whole = await handed_on(door, message(octets=b"x" * 400, text="x" * 400))
        assert whole.is_delivered
        esme.leave()
        await asyncio.to_thread(esme.join, 5)
        while door.session_of("crm") is not None:  # noqa: ASYNC110 - none tells
            await asyncio.sleep(0.01)
        assert (await handed_on(door)).is_nobody_there
    short, long = esme.got
    assert (short.source_addr, short.destination_addr) == (b"447900000001", b"447700900100")
    assert (short.short_message, short.data_coding) == (b"hello", 3)
    assert long.message_payload == b"x" * 400


async def test_a_part_keeps_its_header() -> None:
    udh = b"\x05\x00\x03\x33\x02\x01"
    async with listening() as door:
        raw = await Raw.connected(door.port)
        assert await raw.bind() == 0
        delivering = asyncio.create_task(handed_on(door, part(udh=udh)))
        pdu = await raw.next()
        assert pdu is not None
        assert udh in pdu.body
        raw.send(Pdu(Command.DELIVER_SM | ANSWER, 0, pdu.sequence, b"\0"))
        assert (await delivering).is_delivered
        raw.writer.close()


@pytest.mark.parametrize("status", [0x64, 0x65, 0x58, 0x14, 0xFFFFFFFF])
async def test_an_answer_other_than_zero_has_failed(status: int) -> None:
    async with listening() as door:
        raw = await Raw.connected(door.port)
        await raw.bind()
        delivering = asyncio.create_task(handed_on(door))
        pdu = await raw.next()
        assert pdu is not None
        raw.send(Pdu(Command.DELIVER_SM | ANSWER, status, pdu.sequence, b"\0"))
        seen = await delivering
        raw.writer.close()
    assert (seen.is_delivered, seen.status) == (False, f"0x{status:08X}")
    assert not seen.is_nobody_there


async def test_no_answer_has_failed_and_ends_the_connection() -> None:
    async with listening() as door:
        raw = await Raw.connected(door.port)
        await raw.bind()
        seen = await handed_on(door)
        assert (seen.is_delivered, seen.words) == (False, "no answer within 2 s")
        assert door.session_of("crm") is None
        raw.writer.close()


async def test_a_connection_that_ends_has_failed() -> None:
    async with listening() as door:
        raw = await Raw.connected(door.port)
        await raw.bind()
        delivering = asyncio.create_task(handed_on(door))
        await raw.next()
        raw.writer.transport.abort()
        seen = await delivering
    assert (seen.is_delivered, seen.is_nobody_there) == (False, False)


@pytest.mark.parametrize(
    ("user", "password"),
    [(USER, "wrong"), ("nobody", WORD), ("", ""), ("other", WORD)],
)
async def test_a_login_that_is_not_a_paths_is_refused(user: str, password: str) -> None:
    async with listening() as door:
        raw = await Raw.connected(door.port)
        assert await raw.bind(password, user) == 0x0E
        assert await raw.next() is None, "the connection is ended"
        raw.writer.close()
        assert (await handed_on(door)).is_nobody_there


async def test_an_application_is_given_its_own_path_and_no_other() -> None:
    async with listening() as door:
        raw = await Raw.connected(door.port)
        assert await raw.bind("other-pw", "other") == 0
        assert (await handed_on(door)).is_nobody_there
        assert door.session_of("other") is not None
        raw.writer.close()


@pytest.mark.parametrize(
    ("pdu", "command", "status"),
    [
        (Pdu(Command.ENQUIRE_LINK, 0, 7), Command.ENQUIRE_LINK_RESP, 0),
        (Pdu(Command.SUBMIT_SM, 0, 7, b"x"), Command.GENERIC_NACK, 3),
        (Pdu(Command.BIND_TRANSMITTER, 0, 7), Command.BIND_TRANSMITTER_RESP, 0x0D),
        (Pdu(Command.BIND_RECEIVER, 0, 7), Command.BIND_RECEIVER_RESP, 5),
        (Pdu(0x1234, 0, 7), Command.GENERIC_NACK, 3),
    ],
)
async def test_what_an_application_asks_is_answered(pdu: Pdu, command: int, status: int) -> None:
    async with listening() as door:
        raw = await Raw.connected(door.port)
        await raw.bind()
        raw.send(pdu)
        answer = await raw.next()
        raw.writer.close()
    assert answer is not None
    assert (answer.command, answer.status, answer.sequence) == (command, status, 7)


@pytest.mark.parametrize(
    "octets", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 16, b"\x7f\xff\xff\xff" + b"x" * 100_000]
)
async def test_what_is_no_smpp_ends_the_connection(octets: bytes) -> None:
    async with listening() as door:
        raw = await Raw.connected(door.port)
        raw.writer.write(octets)
        async with asyncio.timeout(5):
            assert await raw.next() is None
        raw.writer.close()


async def test_who_does_not_bind_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "BIND_SECONDS", 0.2)
    async with listening() as door:
        raw = await Raw.connected(door.port)
        raw.send(Pdu(Command.ENQUIRE_LINK, 0, 1))
        await raw.next()
        async with asyncio.timeout(5):
            assert await raw.next() is None
        raw.writer.close()


async def test_who_says_nothing_is_asked_and_then_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "QUIET_SECONDS", 0.2)
    async with listening() as door:
        raw = await Raw.connected(door.port)
        await raw.bind()
        asked = await raw.next()
        assert asked is not None
        assert asked.command == Command.ENQUIRE_LINK
        async with asyncio.timeout(5):
            assert await raw.next() is None
        assert door.session_of("crm") is None
        raw.writer.close()


def test_passwords_do_not_cross_a_network_without_tls() -> None:
    with pytest.raises(DoorError, match="tls_cert"):
        SmppDoor(LOGINS, Settings(deliver_smpp_host="0.0.0.0", deliver_smpp_port=2775))  # noqa: S104
