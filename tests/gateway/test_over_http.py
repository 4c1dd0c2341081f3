"""The product's own ways by HTTP, XML and SOAP send to the stand-in of the gateway."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from pipeline.gateway.faults import MAGIC
from pipeline.gateway.world import EventKind
from pipeline.records import Outcome
from pipeline.sender.way import Trouble
from tests.gateway.ways import (
    HANDSET,
    NUMBER,
    OVER_HTTP,
    always,
    of_kind,
    submission,
    until,
    way_to,
)

LONG = "The quick brown fox jumps over the lazy dog. " * 5


@pytest.fixture(params=OVER_HTTP, ids=str)
def name(request):
    return request.param


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Your table is booked.", 1),
        ("Käse & <Brot>: 5 £", 1),
        ("Hello 👋", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        (LONG, 2),
        ("€" * 71, 2),
        ("line\nline", 1),
    ],
)
async def test_a_text_is_shown_as_it_was_written(play, name, text, parts):
    async with play() as played, way_to(played.gateway, name) as way:
        (answer,) = await way.submit(submission(text), always)
        assert answer.outcome is Outcome.SUBMITTED
        await until(lambda: of_kind(played.gateway, EventKind.SHOWN))
        (shown,) = of_kind(played.gateway, EventKind.SHOWN)
        assert (shown.text, shown.sender_id, shown.handset) == (text, NUMBER, HANDSET)
        assert shown.facts["parts"] == parts
        assert answer.gateway_message_ids == (shown.message_id,)


async def test_what_became_of_it_is_known_by_its_own_id(play, name):
    async with play() as played, way_to(played.gateway, name) as way:
        sent = submission()
        await way.submit(sent, always)
        await until(lambda: of_kind(played.gateway, EventKind.SHOWN))
        found = await way.ask_about(sent.command.command_id)
        assert (found.is_known, found.status, found.charge) == (True, "004", "1")
        found = await way.ask_about("f" * 32)
        assert (found.is_known, found.code) == (False, "104")


@pytest.mark.parametrize("code", ["105", "113", "121", "122", "128", "901"])
async def test_a_magic_handset_is_refused_by_its_code(play, name, code):
    async with play() as played, way_to(played.gateway, name) as way:
        (answer,) = await way.submit(submission(handset=f"{MAGIC}0{code}"), always)
        assert (answer.outcome, answer.code) == (Outcome.FAILED, code)
        assert not of_kind(played.gateway, EventKind.SUBMITTED)


@pytest.mark.parametrize("fault", ["lose-answer", "cut-answer", "html", "huge", "hang", "slow"])
async def test_a_lost_answer_is_unknown_and_the_message_was_taken(play, name, fault):
    seconds = 3.0 if fault == "slow" else 20.0
    async with (
        play(hang_seconds=0.3) as played,
        way_to(played.gateway, name, timeout_seconds=seconds) as way,
    ):
        played.gateway.all_faults.named(fault).switch(on=True)
        (answer,) = await way.submit(submission(), always)
        assert answer.outcome is Outcome.UNKNOWN
        assert len(of_kind(played.gateway, EventKind.SUBMITTED)) == 1


async def test_a_throttle_is_trouble(play, name):
    async with play() as played, way_to(played.gateway, name) as way:
        played.gateway.all_faults.named("throttle").switch(on=True)
        played.gateway.clock.set_offset(timedelta(hours=6))  # the sender's pause uses another clock
        (answer,) = await way.submit(submission(), always)
        assert (answer.code, answer.trouble) == ("130", Trouble.THROTTLED)
        assert 0 < answer.retry_after_seconds <= 31


async def test_a_wrong_password_is_refused(play, name):
    async with play() as played, way_to(played.gateway, name, **{"password": "wrong"}) as way:
        (answer,) = await way.submit(submission(), always)
        assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.REFUSED)


async def test_the_stand_in_answers_the_probe_of_an_open_circuit(play, name):
    async with play() as played, way_to(played.gateway, name) as way:
        assert await way.probe() == "logged in, and the gateway answered a ping"


async def test_statuses_are_pushed_and_pushed_again(play, name):
    async with play() as played, way_to(played.gateway, name, callback=3) as way:
        sent = submission()
        await way.submit(sent, always)
        await until(lambda: len(played.product.calls) == 3)
        paths = {path for path, _, _ in played.product.calls}
        assert paths == {f"/status/{name}"}
        said = b" ".join(query + body for _, query, body in played.product.calls)
        assert said.count(sent.command.command_id.encode()) == 3


async def test_http_statuses_say_what_the_document_says(play):
    async with play() as played, way_to(played.gateway, OVER_HTTP[0], callback=3) as way:
        sent = submission()
        await way.submit(sent, always)
        await until(lambda: len(played.product.calls) == 3)
        said = [parse_qs(query.decode()) for _, query, _ in played.product.calls]
        assert sorted(each["status"][0] for each in said) == ["003", "004", "008"]
        assert {each["to"][0] for each in said} == {HANDSET}
        assert {each["charge"][0] for each in said} == {"1.000000"}
