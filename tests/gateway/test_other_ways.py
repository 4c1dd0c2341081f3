"""The product's own ways by SMPP, SMTP and FTP send to the stand-in of the gateway."""

import pytest

from pipeline.gateway.faults import MAGIC
from pipeline.gateway.world import EventKind
from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.way import Trouble
from tests.gateway.ways import HANDSET, NUMBER, always, of_kind, submission, until, way_to

TEXTS = ["Your table is booked.", "Käse & <Brot>: 5 £", "Hello 👋", "line\nline"]


@pytest.fixture(params=[WayName.SMPP, WayName.SMTP, WayName.FTP], ids=str)
def name(request):
    return request.param


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_is_shown_as_it_was_written(play, name, text):
    async with play() as played, way_to(played.gateway, name) as way:
        answers = await way.submit(submission(text), always)
        assert {answer.outcome for answer in answers} == {Outcome.SUBMITTED}
        await until(lambda: of_kind(played.gateway, EventKind.SHOWN))
        (shown,) = of_kind(played.gateway, EventKind.SHOWN)
        assert shown.text.replace("\r\n", "\n") == text
        assert (shown.sender_id, shown.handset, shown.facts["parts"]) == (NUMBER, HANDSET, 1)


async def test_the_stand_in_answers_the_probe_of_an_open_circuit(play, name):
    async with play() as played, way_to(played.gateway, name) as way:
        assert await way.probe()


@pytest.mark.parametrize("name", [WayName.SMTP, WayName.FTP], ids=str)
async def test_a_refusal_is_noted(play, name):
    async with play() as played, way_to(played.gateway, name) as way:
        await way.submit(submission(handset=f"{MAGIC}0105"), always)
        await until(lambda: of_kind(played.gateway, EventKind.REFUSED))
        (refused,) = of_kind(played.gateway, EventKind.REFUSED)
        assert refused.facts["code"] == "105"


async def test_smpp_sends_each_part(play):
    async with play() as played, way_to(played.gateway, WayName.SMPP) as way:
        answers = await way.submit(submission("x" * 200), always)
        assert [answer.outcome for answer in answers] == [Outcome.SUBMITTED] * 2
        seen = of_kind(played.gateway, EventKind.SUBMITTED)
        assert "".join(event.text for event in seen) == "x" * 200
        assert [event.facts["udh"][-4:] for event in seen] == ["0201", "0202"]


@pytest.mark.parametrize(
    ("fault", "outcome", "trouble"),
    [
        ("lose-answer", Outcome.UNKNOWN, Trouble.UNREACHABLE),
        ("throttle", Outcome.FAILED, Trouble.THROTTLED),
        ("busy", Outcome.FAILED, Trouble.THROTTLED),
    ],
)
async def test_smpp_meets_a_fault(play, fault, outcome, trouble):
    async with play() as played, way_to(played.gateway, WayName.SMPP) as way:
        played.gateway.all_faults.named(fault).switch(on=True)
        (answer,) = await way.submit(submission(), always)
        assert (answer.outcome, answer.trouble) == (outcome, trouble)


async def test_a_mail_that_is_not_taken_is_tried_again(play):
    async with play() as played, way_to(played.gateway, WayName.SMTP) as way:
        played.gateway.all_faults.named("busy").switch(on=True)
        (answer,) = await way.submit(submission(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)


async def test_a_wrong_password_ends_the_bind(play):
    given = {"password": "wrong"}
    async with play() as played, way_to(played.gateway, WayName.SMPP, **given) as way:
        (answer,) = await way.submit(submission(), always)
        assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.REFUSED)
