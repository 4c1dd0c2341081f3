"""The way by SMPP with a gateway that answers, refuses, is silent, lies and breaks off."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.way import PermitEnded, ProbeFailed, Trouble
from pipeline.sender.ways.smpp import transmitter
from pipeline.sender.ways.smpp.way import SmppWay
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp.pdu import Command
from tests.ingest.smpp.smsc import PATIENCE_SECONDS, Session, Smsc
from tests.sender.ways.apis import SECRET, USER, always, api_of, never, submission_of
from tests.wire.smpp.test_callback import pdu_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from pipeline.sender.way import Answer
    from pipeline.wire.smpp.deliver import DeliverSm

SOON = 0.3  # seconds
LONG = "x" * 400  # three parts
ID = b"6a3ed98a66444e8abac3acd9bba8656f\0"


class Gateway:
    """An SMSC that answers each submit_sm from `answers`, and keeps what it received."""

    def __init__(self, smsc: Smsc) -> None:
        self.smsc = smsc
        self.seen: list[DeliverSm] = []
        self.session: Session | None = None

    async def next_submit(self) -> int:
        """Wait for a submit_sm on this bind or the next; return its sequence number."""
        if self.session is None:
            self.session = await self.smsc.bound()
        pdu = await self.session.read_only(Command.SUBMIT_SM)
        submit = smpp_deliver.parse(pdu.body)
        assert submit is not None
        self.seen.append(submit)
        return pdu.sequence

    async def answer(self, body: bytes = ID, *, status: int = 0) -> None:
        sequence = await self.next_submit()
        assert self.session is not None
        self.session.send(Command.SUBMIT_SM_RESP, sequence, b"" if status else body, status)

    def hang_up(self) -> None:
        assert self.session is not None
        self.session.writer.transport.abort()
        self.session = None


@asynccontextmanager
async def sending(
    *, guard: ssl.SSLContext | None = None, **given: Any
) -> AsyncIterator[tuple[SmppWay, Gateway]]:
    """A gateway, and a way to it."""
    smsc = Smsc()
    server = await asyncio.start_server(smsc.connected, "127.0.0.1", 0, ssl=guard)
    port = server.sockets[0].getsockname()[1]
    way = SmppWay(api_of(WayName.SMPP, port, **given))
    try:
        yield way, Gateway(smsc)
    finally:
        smsc.end()
        server.close()
        await way.close()
        await server.wait_closed()


async def both(way: SmppWay, act: Awaitable[object], *words: Any, **given: Any) -> list[Answer]:
    """What the way saw while the gateway acted."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        answers, _ = await asyncio.gather(way.submit(submission_of(*words, **given), always), act)
    return list(answers)


async def goes_on(way: SmppWay, gateway: Gateway) -> None:
    """The next command is submitted as usual."""
    before = len(gateway.seen)
    (answer,) = await both(way, gateway.answer(b"next\0"), "next")
    assert (answer.outcome, answer.gateway_message_ids) == (Outcome.SUBMITTED, ("next",))
    assert [submit.short_message for submit in gateway.seen[before:]] == [b"next"]


async def test_a_message_is_submitted() -> None:
    async with sending() as (way, gateway):
        (answer,) = await both(way, gateway.answer())
        assert answer.outcome is Outcome.SUBMITTED
        assert answer.gateway_message_ids == ("6a3ed98a66444e8abac3acd9bba8656f",)
        assert answer.part_number == 0
        assert gateway.session is not None
        bind = gateway.session.bind
        assert bind is not None
        assert (bind.system_id, bind.password, bind.system_type) == (USER, SECRET, "1234")
        assert (gateway.session.command, bind.interface_version) == (Command.BIND_TRANSMITTER, 0x34)
        assert (gateway.seen[0].destination, gateway.seen[0].registered_delivery) == (
            "447700900123",
            1,
        )
        await goes_on(way, gateway)
        assert gateway.smsc.attempts == 1


async def test_parts_go_in_order_and_have_an_answer_each() -> None:
    async def act() -> None:
        for number in (b"a\0", b"b\0", b"c\0"):
            await gateway.answer(number)

    async with sending() as (way, gateway):
        answers = await both(way, act(), LONG)
    assert [(a.part_number, a.gateway_message_ids) for a in answers] == [
        (1, ("a",)),
        (2, ("b",)),
        (3, ("c",)),
    ]
    assert [submit.short_message[5] for submit in gateway.seen] == [1, 2, 3]


async def test_only_the_parts_that_are_permitted_go() -> None:
    async with sending() as (way, gateway):
        (answer,) = await both(way, gateway.answer(), LONG, parts=(2,))
        assert answer.part_number == 2
        assert [submit.short_message[5] for submit in gateway.seen] == [2]


@pytest.mark.parametrize(
    ("status", "code", "is_temporary", "trouble"),
    [
        (0x58, "0x00000058", True, Trouble.THROTTLED),
        (0x14, "0x00000014", True, Trouble.THROTTLED),
        (0x08, "0x00000008", True, Trouble.NONE),
        (0x04, "0x00000004", True, Trouble.NONE),
        (0x0B, "0x0000000B", False, Trouble.NONE),
        (0x45, "0x00000045", False, Trouble.NONE),
        (0x0401, "0x00000401", False, Trouble.NONE),
    ],
)
async def test_refusals(status: int, code: str, is_temporary: bool, trouble: Trouble) -> None:
    async with sending() as (way, gateway):
        (answer,) = await both(way, gateway.answer(status=status))
        assert (answer.outcome, answer.code) == (Outcome.FAILED, code)
        assert (answer.is_temporary, answer.trouble) == (is_temporary, trouble)
        assert len(gateway.seen) == 1
        if status == 0x04:
            gateway.session = None  # the way binds anew
        await goes_on(way, gateway)


async def test_a_part_is_not_sent_after_one_that_was_refused() -> None:
    async def act() -> None:
        await gateway.answer(b"a\0")
        await gateway.answer(status=0x58)

    async with sending() as (way, gateway):
        first, second, third = await both(way, act(), LONG)
        assert first.outcome is Outcome.SUBMITTED
        for answer in (second, third):
            assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
            assert answer.trouble is Trouble.THROTTLED
        assert len(gateway.seen) == 2
        await goes_on(way, gateway)


async def silent(gateway: Gateway) -> None:
    await gateway.next_submit()


async def hangs_up(gateway: Gateway) -> None:
    await gateway.next_submit()
    gateway.hang_up()


async def cuts_its_answer(gateway: Gateway) -> None:
    await gateway.next_submit()
    assert gateway.session is not None
    gateway.session.writer.write(bytes.fromhex("00000031800000040000"))
    await gateway.session.writer.drain()
    gateway.hang_up()


async def says_a_length_that_cannot_be(gateway: Gateway) -> None:
    await gateway.next_submit()
    assert gateway.session is not None
    gateway.session.writer.write((10_000_000).to_bytes(4, "big"))
    gateway.session = None


async def answers_at_length(gateway: Gateway) -> None:
    """10 MB of enquire_link_resp without a question, and then the end of the connection."""
    await gateway.next_submit()
    assert gateway.session is not None
    for sequence in range(1000, 1100):
        gateway.session.send(Command.ENQUIRE_LINK_RESP, sequence, b"x" * 100_000)
        await gateway.session.writer.drain()
    gateway.hang_up()


async def answers_with_another_command(gateway: Gateway) -> None:
    sequence = await gateway.next_submit()
    assert gateway.session is not None
    gateway.session.send(Command.ENQUIRE_LINK_RESP, sequence)
    gateway.session = None


async def unbinds(gateway: Gateway) -> None:
    await gateway.next_submit()
    assert gateway.session is not None
    gateway.session.send(Command.UNBIND, 9)
    await gateway.session.read_only(Command.UNBIND_RESP)
    gateway.session = None


async def answers_another_sequence(gateway: Gateway) -> None:
    sequence = await gateway.next_submit()
    assert gateway.session is not None
    gateway.session.send(Command.SUBMIT_SM_RESP, sequence + 1, ID)


async def nacks_nothing(gateway: Gateway) -> None:
    await gateway.next_submit()
    assert gateway.session is not None
    gateway.session.send(Command.GENERIC_NACK, 0, status=2)
    gateway.session = None


@pytest.mark.parametrize(
    "act",
    [
        silent,
        hangs_up,
        cuts_its_answer,
        says_a_length_that_cannot_be,
        answers_at_length,
        answers_with_another_command,
        unbinds,
        answers_another_sequence,
        nacks_nothing,
    ],
)
async def test_a_part_that_was_written_and_not_answered_is_unknown(
    act: Callable[[Gateway], Awaitable[None]],
) -> None:
    given = {"timeout_seconds": SOON} if act in (silent, answers_another_sequence) else {}
    async with sending(**given) as (way, gateway):
        first, second, third = await both(way, act(gateway), LONG)
        assert (first.outcome, first.part_number) == (Outcome.UNKNOWN, 1)
        for answer in (second, third):
            assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
            assert answer.trouble is Trouble.UNREACHABLE
        assert len(gateway.seen) == 1
        await goes_on(way, gateway)


async def test_a_generic_nack_refuses() -> None:
    async def act() -> None:
        sequence = await gateway.next_submit()
        assert gateway.session is not None
        gateway.session.send(Command.GENERIC_NACK, sequence, status=3)

    async with sending() as (way, gateway):
        (answer,) = await both(way, act())
        assert (answer.outcome, answer.code) == (Outcome.FAILED, "0x00000003")
        await goes_on(way, gateway)


async def test_answers_may_come_in_any_order() -> None:
    async def act() -> None:
        sequences = [await gateway.next_submit() for _ in range(3)]
        assert gateway.session is not None
        for submit, sequence in reversed(list(zip(gateway.seen, sequences, strict=True))):
            text = submit.short_message
            gateway.session.send(Command.SUBMIT_SM_RESP, sequence, text + b"\0")

    async with sending() as (way, gateway):
        texts = ["one", "two", "three"]
        *found, _ = await asyncio.gather(
            *(way.submit(submission_of(text), always) for text in texts), act()
        )
        assert [answer.gateway_message_ids for (answer,) in found] == [(text,) for text in texts]
        assert gateway.smsc.attempts == 1


async def test_no_more_than_the_window_are_under_way() -> None:
    async def act() -> None:
        sequences = [await gateway.next_submit() for _ in range(2)]
        third = asyncio.ensure_future(gateway.next_submit())
        await asyncio.sleep(SOON)
        assert len(gateway.seen) == 2  # until one is answered
        for sequence in sequences:
            gateway.session.send(Command.SUBMIT_SM_RESP, sequence, ID)  # type: ignore[union-attr]
        gateway.session.send(Command.SUBMIT_SM_RESP, await third, ID)  # type: ignore[union-attr]

    async with sending(window=2) as (way, gateway):
        found = await asyncio.gather(
            *(way.submit(submission_of(text), always) for text in ("one", "two", "three")), act()
        )
        assert [answer.outcome for (answer,) in found[:3]] == [Outcome.SUBMITTED] * 3
        await goes_on(way, gateway)


async def test_without_a_permit_nothing_is_sent() -> None:
    async with sending() as (way, gateway):
        with pytest.raises(PermitEnded):
            await way.submit(submission_of(), never)
        await goes_on(way, gateway)


async def test_a_permit_that_ends_between_two_parts_stops_the_rest() -> None:
    permits = iter([True, False])
    async with sending() as (way, gateway):
        answers, _ = await asyncio.gather(
            way.submit(submission_of(LONG), lambda: next(permits)), gateway.answer()
        )
        assert [answer.outcome for answer in answers] == [
            Outcome.SUBMITTED,
            Outcome.FAILED,
            Outcome.FAILED,
        ]
        assert all(answer.is_temporary for answer in answers[1:])
        assert len(gateway.seen) == 1


async def test_what_cannot_go_is_refused_here() -> None:
    async with sending() as (way, gateway):
        (answer,) = await way.submit(submission_of("x" * 600), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, False)
        assert answer.code == "too-many-parts"
        assert gateway.smsc.attempts == 0


async def test_a_delivery_to_a_transmitter_is_refused_and_all_goes_on() -> None:
    """SMPP 3.4 5.1.3: ESME_RINVBNDSTS."""
    async with sending() as (way, gateway):
        await goes_on(way, gateway)
        assert gateway.session is not None
        assert await gateway.session.deliver(pdu_of(), sequence=77) == 0x04
        await goes_on(way, gateway)


async def test_the_gateway_may_ask_too() -> None:
    async with sending() as (way, gateway):
        await goes_on(way, gateway)
        assert gateway.session is not None
        for command, answer in (
            (Command.ENQUIRE_LINK, Command.ENQUIRE_LINK_RESP),
            (Command.BIND_RECEIVER, Command.GENERIC_NACK),
        ):
            gateway.session.send(command, 8)
            assert (await gateway.session.read_only(answer)).sequence == 8


async def test_a_silent_bind_is_asked_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transmitter, "ENQUIRE_SECONDS", 0.05)
    monkeypatch.setattr(transmitter, "ENQUIRE_ANSWER_SECONDS", 0.05)
    async with sending() as (way, gateway):
        (answer,) = await both(way, silent(gateway))
        assert answer.outcome is Outcome.UNKNOWN
        assert "enquire_link" in answer.words
        gateway.session = None
        monkeypatch.undo()
        await goes_on(way, gateway)


async def test_a_refused_bind_is_not_tried_at_once_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sending() as (way, gateway):
        gateway.smsc.refuses = 0x0E
        for _ in range(5):
            (answer,) = await way.submit(submission_of(), always)
            assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
            assert answer.trouble is Trouble.REFUSED
            with pytest.raises(ProbeFailed, match="refused"):
                await way.probe()
        assert gateway.smsc.attempts == 1
        monkeypatch.setattr(way._binding, "_not_before", 0.0)
        gateway.smsc.refuses = 0
        await goes_on(way, gateway)


async def test_ten_binds_are_not_refused_within_a_minute() -> None:
    """After ten refusals Clickatell blocks the address."""
    waits = []
    async with sending() as (way, gateway):
        gateway.smsc.refuses = 0x0E
        loop = asyncio.get_running_loop()
        for _ in range(9):
            await way.submit(submission_of(), always)
            waits.append(way._binding._not_before - loop.time())
            way._binding._not_before = 0.0
    assert waits[:4] == pytest.approx([1, 2, 4, 8], abs=0.9)
    assert waits[4:] == pytest.approx([300] * 5, abs=1)


@pytest.mark.parametrize("moment", ["hangs_up", "is_silent", "greets"])
async def test_where_there_is_no_bind_nothing_was_sent(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sending(timeout_seconds=SOON) as (way, gateway):
        setattr(gateway.smsc, moment, b"\0\0\0\1" if moment == "greets" else True)
        for _ in range(2):
            (answer,) = await way.submit(submission_of(), always)
            assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
            assert answer.trouble is Trouble.UNREACHABLE
        with pytest.raises(ProbeFailed):
            await way.probe()
        assert gateway.seen == []


async def test_nobody_listens() -> None:
    async with sending() as (way, gateway):
        await goes_on(way, gateway)
    (answer,) = await way.submit(submission_of(), always)
    assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
    await way.close()


@pytest.mark.parametrize("certified", ["127.0.0.1", "example.com", "another authority"])
async def test_tls_is_checked(certified: str, tmp_path: Path) -> None:
    authority, another = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certified == "another authority":
        another.issue_cert("127.0.0.1").configure_cert(context)
    else:
        authority.issue_cert(certified).configure_cert(context)
    trusted = str(tmp_path / "authority.pem")
    async with sending(guard=context, tls="on", ca=trusted) as (way, gateway):
        if certified == "127.0.0.1":
            await goes_on(way, gateway)
        else:
            (answer,) = await way.submit(submission_of(), always)
            assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
            assert gateway.smsc.attempts == 0


async def test_a_probe_binds_and_enquires_and_sends_nothing() -> None:
    async def act() -> None:
        gateway.session = await gateway.smsc.bound()
        await gateway.session.confirm()

    async with sending() as (way, gateway):
        words, _ = await asyncio.gather(way.probe(), act())
        assert "bound" in words
        assert SECRET not in words
        assert gateway.session is not None
        assert gateway.session.passed == []


async def test_it_unbinds_in_order() -> None:
    async with sending() as (way, gateway):
        await goes_on(way, gateway)
        closing = asyncio.create_task(way.close())
        assert gateway.session is not None
        unbind = await gateway.session.read_only(Command.UNBIND)
        gateway.session.send(Command.UNBIND_RESP, unbind.sequence)
        await closing


async def test_nothing_of_the_message_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with sending(timeout_seconds=SOON) as (way, gateway):
        await both(way, gateway.answer(status=0x0B), "a secret text")
        await both(way, hangs_up(gateway), "a secret text")
    assert "secret text" not in caplog.text
    assert "447700900123" not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "given",
    [
        {"password": "longer than 8"},
        {"api_id": "x" * 13},
        {"alphabet": "ascii"},
        {"tls": "off", "host": "smpp.example.com"},
        {"tls": "perhaps"},
    ],
)
def test_what_cannot_be_bound_with_is_named_without_its_value(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"must be|loopback") as caught:
        SmppWay(api_of(WayName.SMPP, 2775, **given))
    assert "longer than" not in str(caught.value)


async def test_nobody_can_be_asked() -> None:
    async with sending() as (way, _):
        assert await way.ask_about("e3f19b7c5d0a4862b1c7f4093ad8625e") is None
