"""The receiver with a gateway that behaves, refuses, breaks off and lies."""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from ingest.smpp import metrics, process
from ingest.smpp.process import Receiver
from ingest.smpp.settings import SmppError, client_tls_from_settings
from pipeline.avro.single_object import decode
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.peer.smpp import BIND_SECONDS
from pipeline.records import DeadLetter, MoRaw
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.bind import Bind
from pipeline.wire.smpp.pdu import Command, Pdu, Status
from tests.ingest.http.support import FakePublisher
from tests.ingest.smpp.smsc import SECRET, receiving, settings_for, until, with_sequence
from tests.support.golden_rows import golden_rows
from tests.support.mo import HANDSET
from tests.wire.smpp.test_callback import data_sm_of, pdu_of, row_of

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

RECEIPT = bytes.fromhex(row_of("smpp_pdu", "smpp-001")["input"]["pdu_hex"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BACKOFF_SECONDS", (0.01, 0.02))
    monkeypatch.setattr("ingest.smpp.session.CONFIRM_SECONDS", 0.01)


def raws(publisher: FakePublisher) -> list[MoRaw]:
    """The deliveries that were published."""
    found = [record for record in publisher.of(MO_RAW) if isinstance(record, MoRaw)]
    return [raw for raw in found if raw.delivery]


def answered(publisher: FakePublisher) -> list[tuple[str, int]]:
    """The entries that were published as answered."""
    found = [record for record in publisher.of(MO_RAW) if isinstance(record, MoRaw)]
    return [(each.bind, each.delivery) for raw in found for each in raw.answered]


@pytest.mark.parametrize(
    ("how", "command"),
    [("receiver", Command.BIND_RECEIVER), ("transceiver", Command.BIND_TRANSCEIVER)],
)
async def test_it_binds_as_the_settings_say(tmp_path: Path, how: str, command: int) -> None:
    async with receiving(tmp_path, FakePublisher(), smpp_bind=how) as (smsc, _, _):
        session = await smsc.bound()
        assert session.command == command
        assert session.bind == Bind(system_id="two", password=SECRET, system_type="12345")


async def test_ok_is_answered_only_after_kafka_has_it(tmp_path: Path) -> None:
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        session.writer.write(pdu_of())
        async with asyncio.timeout(10):
            await publisher.asked.wait()
        session.send(Command.ENQUIRE_LINK, 99)
        assert (await session.read()).command == Command.ENQUIRE_LINK_RESP  # and nothing before
        assert publisher.held is not None
        publisher.held.set_result(True)
        answer = await session.read()
        assert (answer.command, answer.status) == (Command.DELIVER_SM_RESP, Status.OK)
        assert answer.body == b"\0"


async def test_the_record_is_the_pdu_as_it_came(tmp_path: Path) -> None:
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher, smpp_default_alphabet="latin1") as (smsc, _, _):
        session = await smsc.bound()
        assert await session.deliver(pdu_of(b"caf\xe9"), sequence=1) == Status.OK
    (raw,) = raws(publisher)
    assert raw.octets == pdu_of(b"caf\xe9")
    assert (raw.source, raw.delivery, raw.alphabet) == ("smpp", 1, "latin1")
    assert publisher.published[0][1] == HANDSET.encode()


async def test_without_kafka_the_gateway_is_asked_to_send_again_under_another_bind(
    tmp_path: Path,
) -> None:
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        assert await session.deliver(pdu_of(b"1"), sequence=1) == Status.OK
        publisher.acknowledges = False
        assert await session.deliver(pdu_of(b"2"), sequence=2) == Status.TRY_AGAIN
        publisher.acknowledges = True
        assert await session.deliver(pdu_of(b"2"), sequence=3) == Status.OK
    first, second = raws(publisher)
    assert first.bind != second.bind


async def test_a_window_of_deliveries_waits_and_no_more(tmp_path: Path) -> None:
    """A PDU behind a full window is read when there is room, which is after an answer."""
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    async with receiving(tmp_path, publisher, smpp_window=2) as (smsc, _, _):
        session = await smsc.bound()
        link = smpp_pdu.render(Pdu(Command.ENQUIRE_LINK, 0, 4))
        some = [with_sequence(pdu_of(), sequence) for sequence in (1, 2, 3)]
        session.writer.write(b"".join([*some, link]))
        async with asyncio.timeout(10):
            await publisher.asked.wait()
        assert publisher.held is not None
        publisher.held.set_result(True)
        answers = [await session.read() for _ in range(4)]
        assert {answer.sequence for answer in answers} == {1, 2, 3, 4}
        assert {answer.sequence for answer in answers[:2]} == {1, 2}


async def test_an_enquiry_overtakes_deliveries_that_fit_the_window(tmp_path: Path) -> None:
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    async with receiving(tmp_path, publisher, smpp_window=3) as (smsc, _, _):
        session = await smsc.bound()
        link = smpp_pdu.render(Pdu(Command.ENQUIRE_LINK, 0, 4))
        some = [with_sequence(pdu_of(), sequence) for sequence in (1, 2, 3)]
        session.writer.write(b"".join([*some, link]))
        assert (await session.read()).sequence == 4
        assert publisher.held is not None
        publisher.held.set_result(True)


async def test_a_stream_that_comes_octet_by_octet_is_answered_alike(tmp_path: Path) -> None:
    rows = [
        p.values[0]["input"]["pdu_hex"]
        for p in golden_rows("smpp_pdu")
        if "pdu_hex" in p.values[0]["input"]
    ]
    pdus = [bytes.fromhex(pdu) for pdu in rows]
    sent = [with_sequence(pdu, n) for n, pdu in enumerate(pdus, 1) if pdu[7] == Command.DELIVER_SM]
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        for octet in b"".join(sent):
            session.writer.write(bytes([octet]))
            await session.writer.drain()
        answers = [await session.read_only(Command.DELIVER_SM_RESP) for _ in sent]
        assert {answer.status for answer in answers} == {Status.OK}
    assert {raw.octets for raw in raws(publisher)} == set(sent)
    assert len(sent) > 3


async def test_a_data_sm_is_taken_as_a_deliver_sm_is(tmp_path: Path) -> None:
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        session.writer.write(with_sequence(data_sm_of(b"hello"), 7))
        answer = await session.read_only(smpp_pdu.ANSWER | Command.DATA_SM)
        assert (answer.sequence, answer.status, answer.body) == (7, Status.OK, b"\0")
    (raw,) = raws(publisher)
    assert raw.octets == with_sequence(data_sm_of(b"hello"), 7)


class FailingPublisher(FakePublisher):
    """A publisher with a defect, at first."""

    def publish(self, topic: str, *, key: bytes | None, value: bytes) -> Awaitable[bool]:
        if not self.asked.is_set():
            self.asked.set()
            raise RuntimeError("a defect")
        return super().publish(topic, key=key, value=value)


async def test_what_meets_a_defect_is_wanted_again_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = FailingPublisher()
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        assert await session.deliver(pdu_of(), sequence=1) == Status.TRY_AGAIN
        assert await session.deliver(pdu_of(), sequence=2) == Status.OK
        assert await session.deliver(pdu_of(b"2"), sequence=3) == Status.OK
    assert "a defect" in caplog.text
    assert [raw.delivery for raw in raws(publisher)] == [1, 2]  # of a bind with a new name


async def test_what_the_gateway_has_read_is_published_once(tmp_path: Path) -> None:
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        for sequence in (1, 2):
            assert await session.deliver(pdu_of(b"YES"), sequence=sequence) == Status.OK
        await session.confirm_until(lambda: len(answered(publisher)) >= 2)
        assert await session.deliver(pdu_of(b"NO"), sequence=3) == Status.OK
        await session.confirm_until(lambda: len(answered(publisher)) >= 3)
        assert await session.deliver(pdu_of(b"ON"), sequence=4) == Status.OK
        sent = [(raw.bind, raw.delivery) for raw in raws(publisher)]
        assert answered(publisher) == sent[:-1]


async def test_an_answer_the_gateway_did_not_confirm_is_not_published(tmp_path: Path) -> None:
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        assert await session.deliver(pdu_of(), sequence=1) == Status.OK
        session.writer.transport.abort()
        again = await smsc.bound()
        assert await again.deliver(pdu_of(), sequence=1) == Status.OK
        assert answered(publisher) == []
    first, second = raws(publisher)
    assert first.bind != second.bind


async def test_a_receipt_is_kept_and_answered(tmp_path: Path) -> None:
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        assert await session.deliver(RECEIPT, sequence=1) == Status.OK
    (raw,) = raws(publisher)
    assert raw.octets[16:] == RECEIPT[16:]


@pytest.mark.parametrize("pdu", [pdu_of(source=""), pdu_of()[:4] + pdu_of()[4:16] + b"\0" * 99])
async def test_what_is_no_message_is_in_the_dead_letter_and_not_wanted_again(
    tmp_path: Path, pdu: bytes
) -> None:
    publisher = FakePublisher()
    pdu = len(pdu).to_bytes(4, "big") + pdu[4:]
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        session = await smsc.bound()
        assert await session.deliver(pdu, sequence=1) == Status.REFUSED
        publisher.acknowledges = False
        assert await session.deliver(pdu, sequence=2) == Status.TRY_AGAIN
    (letter,) = publisher.of(DEAD_LETTER)
    assert isinstance(letter, DeadLetter)
    assert letter.octets[16:] == pdu[16:]
    assert publisher.of(MO_RAW) == []


async def test_a_request_it_does_not_know_is_answered_generic_nack(tmp_path: Path) -> None:
    async with receiving(tmp_path, FakePublisher()) as (smsc, _, _):
        session = await smsc.bound()
        session.send(Command.ALERT_NOTIFICATION, 6)
        session.send(0x00000111, 7)
        nack = await session.read()
        assert (nack.command, nack.status, nack.sequence) == (
            Command.GENERIC_NACK,
            Status.INVALID_COMMAND,
            7,
        )


async def test_an_unbind_is_answered_and_it_binds_again(tmp_path: Path) -> None:
    async with receiving(tmp_path, FakePublisher()) as (smsc, _, _):
        session = await smsc.bound()
        session.send(Command.UNBIND, 5)
        assert (await session.read_only(Command.UNBIND_RESP)).sequence == 5
        await smsc.bound()


@pytest.mark.parametrize(
    "octets", [b"\xff" * 16, b"\0\0\0\x08" + b"\0" * 12, b"GET / HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_pdu_is_refused_ends_the_connection_and_it_binds_again(
    tmp_path: Path, octets: bytes
) -> None:
    async with receiving(tmp_path, FakePublisher()) as (smsc, _, _):
        session = await smsc.bound()
        session.writer.write(octets)
        nack = await session.read()
        assert (nack.command, nack.status, nack.sequence) == (
            Command.GENERIC_NACK,
            Status.INVALID_COMMAND_LENGTH,
            0,
        )
        await smsc.bound()


async def test_a_gateway_that_does_not_answer_enquire_link_is_left(tmp_path: Path) -> None:
    async with receiving(tmp_path, FakePublisher(), smpp_enquire_seconds=0.05) as (smsc, _, _):
        session = await smsc.bound()
        await session.read_only(Command.ENQUIRE_LINK)
        await smsc.bound()


async def test_at_the_end_it_answers_unbinds_and_publishes_what_arrived(tmp_path: Path) -> None:
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher, smpp_enquire_seconds=60) as (smsc, ended, running):
        session = await smsc.bound()
        session.writer.write(pdu_of())
        async with asyncio.timeout(10):
            await publisher.asked.wait()
        ended.set()
        unbind = await session.read_only(Command.UNBIND)
        session.send(Command.UNBIND_RESP, unbind.sequence)
        async with asyncio.timeout(10):
            await running
    assert answered(publisher) == [(raw.bind, raw.delivery) for raw in raws(publisher)]
    assert len(answered(publisher)) == 1


class SlowToConfirm(FakePublisher):
    """Takes deliveries at once, and the list of answers only at the second request."""

    asked_to_confirm = 0

    def publish(self, topic: str, *, key: bytes | None, value: bytes) -> Awaitable[bool]:
        record = decode(value)
        if isinstance(record, MoRaw) and record.answered:
            self.asked_to_confirm += 1
            if self.asked_to_confirm == 1:
                return asyncio.get_running_loop().create_future()
        return super().publish(topic, key=key, value=value)


async def test_what_was_being_confirmed_when_it_ends_is_confirmed_by_the_unbind(
    tmp_path: Path,
) -> None:
    publisher = SlowToConfirm()
    async with receiving(tmp_path, publisher) as (smsc, ended, running):
        session = await smsc.bound()
        assert await session.deliver(pdu_of(), sequence=1) == Status.OK
        await session.confirm_until(lambda: publisher.asked_to_confirm == 1)
        ended.set()
        unbind = await session.read_only(Command.UNBIND)
        session.send(Command.UNBIND_RESP, unbind.sequence)
        async with asyncio.timeout(10):
            await running
    assert answered(publisher) == [(raw.bind, raw.delivery) for raw in raws(publisher)]
    assert len(answered(publisher)) == 1


async def test_only_an_answer_answers_the_unbind(tmp_path: Path) -> None:
    """A deliver_sm with the same sequence number is no answer, and comes again by the next bind."""
    publisher = FakePublisher()
    async with receiving(tmp_path, publisher, smpp_enquire_seconds=60) as (smsc, ended, running):
        session = await smsc.bound()
        assert await session.deliver(pdu_of(), sequence=1) == Status.OK
        ended.set()
        unbind = await session.read_only(Command.UNBIND)
        session.writer.write(with_sequence(pdu_of(b"late"), unbind.sequence))
        session.send(Command.ENQUIRE_LINK, 77)
        answer = await session.read()
        assert (answer.command, answer.sequence) == (Command.ENQUIRE_LINK_RESP, 77)
        session.writer.transport.abort()
        async with asyncio.timeout(10):
            await running
    assert answered(publisher) == []
    assert len(raws(publisher)) == 1


async def test_a_bind_refused_for_good_is_tried_rarely_after_a_few_times(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def longest(longest: float) -> float:
        waits.append(longest)
        return longest

    monkeypatch.setattr(process, "BIND_REFUSED_SECONDS", 3600.0)
    monkeypatch.setattr(process, "spread", longest)
    caplog.set_level(logging.DEBUG)
    async with receiving(tmp_path, FakePublisher()) as (smsc, ended, running):
        smsc.refuses = 0x0E
        await until(lambda: len(waits) == process.BIND_REFUSALS)
        ended.set()
        async with asyncio.timeout(10):
            await running
        assert smsc.attempts == process.BIND_REFUSALS
    assert waits == [0.01, 0.02, 0.02, 0.02, 3600.0]
    assert "tried again every 3600 s" in caplog.text
    assert "0x0000000E" in caplog.text
    assert SECRET not in caplog.text


async def test_a_gateway_that_accepts_again_is_bound_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "BIND_REFUSED_SECONDS", 0.01)
    async with receiving(tmp_path, FakePublisher()) as (smsc, _, _):
        smsc.refuses = 0x0E
        async with asyncio.timeout(10):
            await smsc.attempted(process.BIND_REFUSALS + 2)
        smsc.refuses = 0
        await smsc.bound()


@pytest.mark.parametrize("port", [1, 0])
async def test_what_keeps_it_from_binding_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, port: int
) -> None:
    """Nothing listens, or the peer listens and hangs up."""
    caplog.set_level(logging.WARNING)
    async with receiving(tmp_path, FakePublisher(), **({"smpp_port": 1} if port else {})) as (
        smsc,
        _,
        _,
    ):
        outcome = "unreachable" if port else "failed"
        smsc.hangs_up = True
        before = binds(outcome)
        await until(lambda: binds(outcome) >= before + 3)
    assert len([line for line in caplog.messages if "reached" in line or "answered" in line]) == 1


def binds(outcome: str) -> float:
    """How many binds had this outcome."""
    return metrics.BINDS.labels(outcome)._value.get()


@dataclass
class AskedPublisher(FakePublisher):
    """A Kafka that may be away; counts how often the receiver asked whether it is there."""

    asks: int = 0

    @property
    def is_reachable(self) -> bool:
        self.asks += 1
        return self.acknowledges


async def test_it_does_not_bind_before_kafka_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "KAFKA_SECONDS", 0.001)
    publisher = AskedPublisher(acknowledges=False)
    async with receiving(tmp_path, publisher) as (smsc, _, _):
        await until(lambda: publisher.asks >= 20)
        assert smsc.writers == []
        publisher.acknowledges = True
        await smsc.bound()


async def test_it_ends_while_a_gateway_does_not_answer_the_bind(tmp_path: Path) -> None:
    async with receiving(tmp_path, FakePublisher()) as (smsc, ended, running):
        smsc.is_silent = True
        await until(lambda: bool(smsc.writers))
        ended.set()
        async with asyncio.timeout(BIND_SECONDS / 2):
            await running


async def test_it_ends_while_it_waits_for_kafka(tmp_path: Path) -> None:
    async with receiving(tmp_path, FakePublisher(acknowledges=False)) as (smsc, ended, running):
        ended.set()
        async with asyncio.timeout(10):
            await running
        assert smsc.writers == []


async def test_a_bind_refused_for_now_is_tried_until_it_is_accepted(tmp_path: Path) -> None:
    async with receiving(tmp_path, FakePublisher()) as (smsc, _, _):
        smsc.refuses = 0x05  # ESME_RALYBND: the bind before is not known to be dead yet
        async with asyncio.timeout(10):
            await smsc.attempted(process.BIND_REFUSALS + 1)
        smsc.refuses = 0
        await smsc.bound()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"smpp_host": "192.0.2.1"}, "loopback"),
        ({"smpp_host": "gateway.example"}, "loopback"),
        ({"smpp_tls": "maybe"}, "smpp_tls"),
        ({"smpp_bind": "transmitter"}, "smpp_bind"),
        ({"smpp_host": ""}, "smpp_host"),
        ({"smpp_password": SECRET * 9}, "smpp_password"),
        ({"smpp_default_alphabet": "ebcdic"}, "smpp_default_alphabet"),
        ({"smpp_window": 0}, "smpp_window"),
        ({"smpp_tls": "on", "smpp_ca": "/nowhere"}, "smpp_ca"),
    ],
)
def test_settings_that_cannot_be_used_are_named_without_a_secret(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(SmppError) as raised:
        Receiver(replace(settings_for(tmp_path, 1), **fields), publisher=FakePublisher())
    assert words in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "has_tls"),
    [
        ({"smpp_host": "192.0.2.1", "smpp_tls": "plain"}, False),
        ({"smpp_host": "192.0.2.1", "smpp_tls": "on"}, True),
        ({"smpp_host": "::1"}, False),
        ({"smpp_host": "localhost"}, False),
    ],
)
def test_plain_octets_go_to_loopback_or_where_a_setting_allows(
    tmp_path: Path, fields: dict[str, Any], has_tls: bool
) -> None:
    context = client_tls_from_settings(replace(settings_for(tmp_path, 1), **fields))
    assert (context is not None) is has_tls
    if context is not None:
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
