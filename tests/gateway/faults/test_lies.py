"""Each fault by each way that plays it: whether the message was taken, and what the product says.

The product's own ways are the other side: what they must not do is to call a lie a success.
"""

import asyncio
from datetime import timedelta

import pytest

from pipeline.gateway.faults.kinds import KINDS, WAYS, Group
from pipeline.gateway.faults.reading import rules_from
from pipeline.gateway.world import EventKind
from pipeline.records import Outcome
from pipeline.sender.apis import WayName
from pipeline.sender.way import Trouble
from tests.gateway.ways import HANDSET, always, of_kind, submission, until, way_to

NOT_TAKEN = {"reset-before-read", "busy"}
ANSWERS = [(kind, way) for kind in KINDS if kind.group is Group.ANSWER for way in kind.ways]
#: Of 503 the product cannot know whether something before it took the message. By FTP it looks
#: whether the file is there under its last name.
EXPECTED = {
    ("busy", "smpp"): Outcome.FAILED,
    ("busy", "smtp"): Outcome.FAILED,
    ("busy", "ftp"): Outcome.FAILED,
    **{(kind.name, "ftp"): Outcome.SUBMITTED for kind, _ in ANSWERS if kind.name not in NOT_TAKEN},
}


def use(played, text):
    played.gateway.all_faults.use(rules_from(text, origin="x"))


def faults_played(played):
    return [(event.way, event.facts["fault"]) for event in of_kind(played.gateway, EventKind.FAULT)]


@pytest.mark.parametrize(
    ("kind", "way"), ANSWERS, ids=[f"{kind.name}-{way}" for kind, way in ANSWERS]
)
async def test_a_lie_is_no_success_and_the_gateway_knows_what_it_took(play, kind, way):
    async with (
        play() as played,
        way_to(played.gateway, WayName(way), timeout_seconds=1.0) as opened,
    ):
        magic = kind.handset
        answers = await opened.submit(submission(handset=magic), always)
        expected = EXPECTED.get((kind.name, way), Outcome.UNKNOWN)
        assert {answer.outcome for answer in answers} == {expected}
        assert (way, kind.name) in faults_played(played)
        if kind.name == "busy" and expected is Outcome.FAILED:
            (answer,) = answers
            assert answer.is_temporary or answer.trouble is Trouble.THROTTLED
        if kind.name not in NOT_TAKEN:
            await until(lambda: of_kind(played.gateway, EventKind.SUBMITTED))
        elif way == "ftp":
            played.gateway.ftp.take_files()
        taken = of_kind(played.gateway, EventKind.SUBMITTED)
        assert len(taken) == (0 if kind.name in NOT_TAKEN else 1)


@pytest.mark.parametrize("way", WAYS)
async def test_the_nth_message_alone_meets_a_rule(play, way):
    async with (
        play() as played,
        way_to(played.gateway, WayName(way), timeout_seconds=2.0) as opened,
    ):
        use(played, f'[[fault]]\ndo = "lose-answer"\nway = "{way}"\nnth = 2\n')
        outcomes = []
        for number in range(3):
            sent = submission(command_id=f"{number:032x}")
            outcomes.append((await opened.submit(sent, always))[0].outcome)
        await until(lambda: len(of_kind(played.gateway, EventKind.SUBMITTED)) == 3)
        second = EXPECTED.get(("lose-answer", way), Outcome.UNKNOWN)
        assert outcomes == [Outcome.SUBMITTED, second, Outcome.SUBMITTED]
        assert faults_played(played) == [(way, "lose-answer")]


@pytest.mark.parametrize("way", ["http", "xml", "soap", "smpp"])
async def test_a_rule_refuses_by_its_code(play, way):
    async with play() as played, way_to(played.gateway, WayName(way)) as opened:
        use(played, f'[[fault]]\ndo = "refuse"\ncode = "105"\nhandset = "{HANDSET}"\n')
        (answer,) = await opened.submit(submission(), always)
        assert answer.outcome is Outcome.FAILED
        (refused,) = of_kind(played.gateway, EventKind.REFUSED)
        assert refused.facts["code"] == "105"
        (answer,) = await opened.submit(submission(handset="447700900009"), always)
        assert answer.outcome is Outcome.SUBMITTED


async def test_a_throttle_ends_at_its_time(play):
    async with play() as played, way_to(played.gateway, WayName.HTTP) as opened:
        at = played.gateway.clock.now().replace(microsecond=0)
        use(played, f'[[fault]]\ndo = "throttle"\nuntil = {at.isoformat()}\n')
        (answer,) = await opened.submit(submission(), always)
        assert answer.outcome is Outcome.SUBMITTED
        use(played, '[[fault]]\ndo = "throttle"\nuntil = 2099-01-01T00:00:00Z\n')
        (answer,) = await opened.submit(submission(), always)
        assert answer.code == "130"
        (refused,) = of_kind(played.gateway, EventKind.REFUSED)
        assert refused.facts["words"] == "Maximum MT limit exceeded until 4070908800"


@pytest.mark.parametrize(("octets", "expected"), [(0, b""), (10, b"ID: ")])
async def test_an_answer_is_cut_where_the_rule_says(play, octets, expected):
    async with play() as played:
        use(played, f'[[fault]]\ndo = "cut-answer"\noctets = {octets}\n')
        reader, writer = await asyncio.open_connection("127.0.0.1", played.gateway.http.port)
        query = f"api_id=10001&user=demo&password=stand-in&to={HANDSET}&text=Hi"
        writer.write(f"GET /http/sendmsg?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        whole = await reader.read()
        body = whole.partition(b"\r\n\r\n")[2]
        assert (len(body), body[:4]) == (octets, expected)
        writer.close()


async def test_a_hang_ends_when_the_rule_says(play):
    async with (
        play() as played,
        way_to(played.gateway, WayName.HTTP, timeout_seconds=20.0) as opened,
    ):
        use(played, '[[fault]]\ndo = "hang"\nseconds = 0.2\n')
        (answer,) = await opened.submit(submission(), always)
        assert answer.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ("status-never", []),
        ("status-twice", ["008", "008", "003", "003", "004", "004"]),
        ("status-disorder", ["004", "003", "008"]),
        ("undelivered", ["008", "003", "007"]),
    ],
)
async def test_statuses_come_as_the_rule_has_them(play, do, expected):
    seconds = {"gateway_seconds": 0.1, "handset_seconds": 0.1}
    async with (
        play(**seconds) as played,
        way_to(played.gateway, WayName.HTTP, callback=3) as opened,
    ):
        use(played, f'[[fault]]\ndo = "{do}"\n')
        await opened.submit(submission(), always)
        (message,) = played.gateway.messages.by_id.values()
        await until(lambda: len(message.history) == 3)
        await until(lambda: len(played.product.calls) == len(expected))
        said = [
            pair.partition(b"=")[2].decode()
            for _, query, _ in played.product.calls
            for pair in query.split(b"&")
            if pair.startswith(b"status=")
        ]
        assert said == expected


async def test_statuses_come_after_the_days_that_the_rule_says(play):
    async with play() as played, way_to(played.gateway, WayName.HTTP, callback=3) as opened:
        use(played, '[[fault]]\ndo = "status-late"\ndays = 2\n')
        await opened.submit(submission(), always)
        played.gateway.clock.set_offset(timedelta(days=2, seconds=-60))
        played.gateway.schedule.run_due()
        assert not played.product.calls
        played.gateway.clock.set_offset(timedelta(days=2))
        await until(lambda: len(played.product.calls) == 3)


async def test_a_handsets_message_names_another_charset(play):
    async with play() as played:
        use(played, '[[fault]]\ndo = "mo-charset"\n')
        await played.gateway.text(HANDSET, "447700900999", "Hi")
        ((_, query, _),) = played.product.calls
        assert b"charset=UTF-16BE" in query
        assert b"text=Hi" in query
