"""What the worker charges: MT at submission and by the gateway's word, its confirmation, and MO."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.avro import single_object
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import HELD_IDS, HELD_MESSAGES
from pipeline.directory.directory import numbers_from_toml
from pipeline.kafka import topics
from pipeline.records import AccountCharge, AccountRelease, ForgetRequest
from pipeline.settings import Settings
from pipeline.suppression_key import key_file, make_key
from tests.support.outgoing import Outgoing
from tests.support.partition import HANDSET, NOON, NUMBER, PARTITIONS

if TYPE_CHECKING:
    from pathlib import Path

CREDIT = 3_000_000


def directory(mode: str, *, more: str = "", number: str = "") -> bytes:
    """Our number, in an account with this mode."""
    return single_object.encode(
        numbers_from_toml(
            f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "1"\n{number}'
            f'[[account]]\nname = "main"\nmode = "{mode}"\n{more}',
            origin="test",
            loaded_at=NOON,
        )
    )


def outgoing(mode: str = "hold", **given: str) -> Outgoing:
    box = Outgoing()
    box.take(topics.NUMBERS, directory(mode, **given))
    box.tick(NOON)
    return box


def charges(box: Outgoing) -> list[AccountCharge]:
    return box.written(topics.ACCOUNT_CHARGE)


# MT


def test_an_mt_is_charged_once_the_gateway_has_taken_it() -> None:
    box = outgoing(more='mt_price = "4/5"\n')
    command = box.command(text="x" * 161)
    box.ask(command)
    assert charges(box) == []
    box.result(command, "submitted", gateway_message_id="1")
    (charge,) = charges(box)
    assert charge.charge_id == command.command_id
    assert (charge.kind, charge.account, charge.number) == ("mt", "main", NUMBER)
    assert (charge.parts, charge.units, charge.is_stated) == (2, 2 * CREDIT * 4 // 5, False)
    assert not charge.is_held


@pytest.mark.parametrize("outcome", ["failed", "unknown"])
def test_what_the_gateway_has_not_taken_is_not_charged(outcome: str) -> None:
    box = outgoing()
    command = box.command()
    box.ask(command)
    box.result(command, outcome, final=True)
    assert charges(box) == []


@pytest.mark.parametrize(
    ("said", "units"),
    [("0.300000", 900_000), ("0", 0), ("1.0", CREDIT)],
)
def test_the_gateways_charge_is_the_charge(said: str, units: int) -> None:
    box = outgoing()
    command = box.command()
    box.ask(command)
    box.result(command, "submitted", gateway_message_id="1")
    box.callback(command, "004", charge=said)
    assert [(each.units, each.is_stated) for each in charges(box)] == [
        (CREDIT, False),
        (units, True),
    ]


@pytest.mark.parametrize("said", ["", "free", "-1", "0.33333333", "1e30", "99999999999999"])
def test_a_charge_that_is_no_amount_corrects_nothing(said: str) -> None:
    box = outgoing()
    command = box.command()
    box.ask(command)
    box.result(command, "submitted", gateway_message_id="1")
    box.callback(command, "004", charge=said)
    assert {each.is_stated for each in charges(box)} == {False}
    assert {each.units for each in charges(box)} == {CREDIT}


def test_a_number_has_its_own_price() -> None:
    box = outgoing(number='mt_price = "2"\nmo_price = "1/2"\n')
    command = box.command()
    box.ask(command)
    box.result(command, "submitted", gateway_message_id="1")
    box.raw("hello")
    assert [(each.kind, each.units) for each in charges(box)] == [
        ("mt", 2 * CREDIT),
        ("mo", CREDIT // 2),
    ]


@pytest.mark.parametrize("mode", ["book", "hold"])
def test_the_gateways_own_confirmation_is_charged_as_one_mt(mode: str) -> None:
    """Nobody confirmed for six hours: the gateway does, and bills it (G7.1.1)."""
    box = outgoing(mode, number='[number.custom_reply.STOP]\nsent_by = "gateway"\n')
    box.raw("STOP")
    box.pass_time(NOON + timedelta(hours=7))
    found = [each for each in charges(box) if each.kind == "gateway-confirmation"]
    assert [(each.units, each.parts, each.account) for each in found] == [(CREDIT, 1, "main")]


def test_off_charges_nothing_and_writes_what_it_wrote_before() -> None:
    """The same records come out, octet for octet, as from a directory without accounts."""

    def play(box: Outgoing) -> list:
        box.tick(NOON)
        box.raw("hello")
        command = box.command()
        box.ask(command)
        box.result(command, "submitted", gateway_message_id="1")
        box.raw("STOP", mo_msg_id="m2")
        box.pass_time(NOON + timedelta(hours=7))
        return box.outputs

    off = Outgoing()
    off.take(topics.NUMBERS, directory("off"))
    assert play(off) == play(Outgoing())


# Held


def release(box: Outgoing, charge_id: str) -> None:
    record = AccountRelease(charge_id=charge_id, account="main", entry_id="e", at=NOON)
    box.take(topics.ACCOUNT_RELEASE, single_object.encode(record))


def test_a_held_message_is_published_as_it_was_decided() -> None:
    plain, box = outgoing("off"), outgoing("hold")
    for each in (plain, box):
        each.raw("please do not cancel")
    assert box.written(topics.MO_MESSAGE) == []
    (charge,) = charges(box)
    assert "review" in charge.flags
    release(box, charge.charge_id)
    assert box.written(topics.MO_MESSAGE) == plain.written(topics.MO_MESSAGE)
    assert box.state.tables[HELD_MESSAGES].is_empty
    assert box.state.tables[HELD_IDS].is_empty


def test_a_release_of_what_is_not_here_does_nothing() -> None:
    box = outgoing("hold")
    box.raw("hello")
    release(box, "0" * 32)
    assert box.written(topics.MO_MESSAGE) == []


def test_a_forgotten_handsets_message_goes_and_its_charge_stays(tmp_path: Path) -> None:
    settings = Settings(partitions=PARTITIONS, home=tmp_path)
    make_key(key_file(settings))
    box = outgoing("hold")
    box.agent = Conversation(partition=box.number, settings=settings)
    box.agent.restored(box.state)
    box.raw("hello")
    order = ForgetRequest(
        request_id="f1", handset=HANDSET, actor="anna", reason="by letter", requested_at=NOON
    )
    box.take(topics.FORGET_REQUEST, single_object.encode(order), HANDSET.encode())
    for name, table in box.state.tables.items():
        found = [(key, table.get(key)) for key in table.keys(b"")]
        assert not any(HANDSET.encode() in key + (value or b"") for key, value in found), name
    (erasure,) = box.written(topics.ERASURE)
    assert {each.name: each.rows for each in erasure.rows}["held"] == 2  # the line, the message
    (charge,) = charges(box)
    release(box, charge.charge_id)
    assert box.written(topics.MO_MESSAGE) == []
