"""Each fault by each way that plays it: whether the message was taken, and what the product says.

The product's own ways are the other side: what they must not do is to call a lie a success.
"""

import asyncio
import re
from datetime import timedelta
from urllib.parse import unquote

import pytest

from pipeline.gateway.faults.kinds import KINDS, WAYS, Group
from pipeline.gateway.faults.reading import rules_from
from pipeline.gateway.settings import MoWay
from pipeline.gateway.world import EventKind
from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.way import Trouble
from pipeline.sms.udh import concatenation_from_udh
from pipeline.wire import http_form, mo_log, soap, xml
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
    seconds = 3.0 if kind.name == "slow" else 20.0
    async with (
        play(hang_seconds=0.3) as played,
        way_to(played.gateway, WayName(way), timeout_seconds=seconds) as opened,
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
        way_to(played.gateway, WayName(way), timeout_seconds=20.0) as opened,
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


STATUSES = {
    "status-never": [],
    "status-twice": ["008", "008", "003", "003", "004", "004"],
    "status-disorder": ["004", "003", "008"],
    "undelivered": ["008", "003", "007"],
}
_STATUS = re.compile(r"\bstatus\b[^0-9&]{1,40}?([0-9]{3})\b")


@pytest.mark.parametrize("way", ["http", "xml", "soap", "smtp", "ftp"])
@pytest.mark.parametrize("do", STATUSES)
async def test_statuses_come_as_the_rule_has_them(play, do, way):
    seconds = {"gateway_seconds": 10.0, "handset_seconds": 10.0}
    expected = STATUSES[do]
    async with (
        play(**seconds) as played,
        way_to(played.gateway, WayName(way), callback=3) as opened,
    ):
        use(played, f'[[fault]]\ndo = "{do}"\nway = "{way}"\n')
        await opened.submit(submission(), always)
        await until(lambda: played.gateway.messages.by_id)
        (message,) = played.gateway.messages.by_id.values()
        reached = [0, 1, 2, 3] if do == "status-disorder" else [1, 2, 3, 3]
        for step, count in enumerate(reached):
            played.gateway.clock.set_offset(timedelta(seconds=10 * step))
            await until(lambda count=count: len(message.history) == count)
            pushed = count * len(expected) // 3
            await until(lambda pushed=pushed: len(played.product.calls) == pushed)
        said = [unquote((query + body).decode()) for _, query, body in played.product.calls]
        assert [_STATUS.search(each)[1] for each in said] == expected


@pytest.mark.parametrize(("do", "count"), [("status-twice", 2), ("status-never", 0)])
async def test_receipts_come_as_the_rule_has_them(play, do, count):
    async with play() as played, way_to(played.gateway, WayName.SMPP) as opened:
        receipts = []

        async def receipt(message, status):
            receipts.append(status)

        played.gateway.smpp.receipt = receipt
        use(played, f'[[fault]]\ndo = "{do}"\nway = "smpp"\n')
        await opened.submit(submission(), always)
        await until(lambda: of_kind(played.gateway, EventKind.SHOWN))
        await until(lambda: len(receipts) == count)
        assert set(receipts) <= {"004"}


#: Which of two parts come, and in which order.
PARTS = {"mo-twice": [1, 1, 2, 2], "mo-disorder": [2, 1], "mo-split": [1]}
HANDED = {"/mo/http": http_form, "/mo/xml": xml, "/mo/soap": soap}
MO_WAYS = [MoWay.HTTP_GET, MoWay.XML_POST, MoWay.SOAP_GET, MoWay.FTP]


def places(played, way):
    """The number of each part that the product was given."""
    if way is MoWay.FTP:
        log = played.gateway.ftp.folder / "mo.log"
        lines = log.read_bytes().splitlines() if log.is_file() else []
        found = [mo_log.parse(line) for line in lines]
    else:
        found = [
            HANDED[path].parse(
                query=query, body=body, content_type="application/x-www-form-urlencoded"
            )
            for path, query, body in played.product.calls
        ]
    return [concatenation_from_udh(bytes.fromhex(each.udh)).number for each in found]


@pytest.mark.parametrize("way", MO_WAYS, ids=str)
@pytest.mark.parametrize("do", PARTS)
async def test_parts_come_as_the_rule_has_them(play, do, way):
    async with play(mo_way=way) as played:
        use(played, f'[[fault]]\ndo = "{do}"\nway = "{way.partition("-")[0]}"\n')
        await played.gateway.text(HANDSET, "447700900999", "x" * 200)
        assert places(played, way) == PARTS[do]


@pytest.mark.parametrize("way", MO_WAYS, ids=str)
async def test_parts_come_as_late_as_the_rule_says(play, way):
    async with play(mo_way=way) as played:
        use(played, '[[fault]]\ndo = "mo-late"\nminutes = 5\n')
        await played.gateway.text(HANDSET, "447700900999", "x" * 200)
        played.gateway.clock.set_offset(timedelta(minutes=4))
        played.gateway.schedule.run_due()
        assert places(played, way) == []
        played.gateway.clock.set_offset(timedelta(minutes=5))
        await until(lambda: sorted(places(played, way)) == [1, 2])


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
