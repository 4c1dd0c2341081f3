"""A handset's message arrives by every way, and comes again if it was not taken."""

from datetime import timedelta

import pytest

from pipeline.gateway.account.consent import Belief
from pipeline.gateway.faults import MAGIC
from pipeline.gateway.pushing.retries import MO_RETRIES
from pipeline.gateway.settings import MoWay
from pipeline.gateway.truth import seen_in, twice
from pipeline.gateway.world import EventKind
from pipeline.sender.apis.api import WayName
from pipeline.sms.charset import text_from_octets
from pipeline.sms.udh import concatenation_from_udh
from pipeline.wire import http_form, mo_log, soap, xml
from tests.gateway.ways import HANDSET, NUMBER, always, of_kind, submission, until, way_to

FORM = "application/x-www-form-urlencoded"
PARSERS = {"/mo/http": http_form.parse, "/mo/xml": xml.parse, "/mo/soap": soap.parse}
CALLED = [way for way in MoWay if "-" in way]
TEXTS = ["Hello", "Hello 👋", "Käse & <Brot> + 5 %", "x" * 161, "Ω" * 71, "€" * 161]


def callbacks_of(product):
    return [
        PARSERS[path](query=query, body=body, content_type=FORM)
        for path, query, body in product.calls
    ]


@pytest.mark.parametrize("way", CALLED, ids=str)
@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_arrives_as_it_was_typed(play, way, text):
    async with play(mo_way=way) as played:
        ids = await played.gateway.text(HANDSET, NUMBER, text)
        found = callbacks_of(played.product)
        assert [callback.mo_msg_id for callback in found] == ids
        assert "".join(text_from_octets(each.octets, each.charset)[0] for each in found) == text
        assert {(each.handset, each.number) for each in found} == {(HANDSET, NUMBER)}
        places = [concatenation_from_udh(bytes.fromhex(each.udh)) for each in found]
        assert [place.number for place in places] == list(range(1, len(found) + 1))
        assert {place.total for place in places} == {len(found)}


async def test_a_text_goes_by_the_ways_that_it_is_given(play, tmp_path):
    async with play() as played:
        ways = [MoWay.HTTP_POST, MoWay.SOAP_GET, MoWay.FTP]
        ids = await played.gateway.text(HANDSET, NUMBER, "x" * 161, ways=ways)
        found = callbacks_of(played.product)
        assert [path for path, _, _ in played.product.calls] == ["/mo/http", "/mo/soap"] * 2
        assert [each.mo_msg_id for each in found] == [ids[0], ids[0], ids[1], ids[1]]
        assert {each.api_id for each in found} == {"10001"}  # the number is linked with one API
        assert len((tmp_path / "gateway-ftp" / "mo.log").read_bytes().splitlines()) == 2


async def test_a_text_is_a_line_of_the_log(play, tmp_path):
    async with play(mo_way=MoWay.FTP) as played:
        await played.gateway.text(HANDSET, NUMBER, "Hello 👋")
        (line,) = (tmp_path / "gateway-ftp" / "mo.log").read_bytes().splitlines()
        callback = mo_log.parse(line)
        assert callback.octets.decode("utf-16-be") == "Hello 👋"


async def test_what_is_not_taken_is_tried_as_the_guide_says(play):
    async with play() as played:
        gateway, product = played.gateway, played.product
        product.status = 503
        await gateway.text(HANDSET, NUMBER, "Hello")
        for number, pause in enumerate(MO_RETRIES, 2):
            gateway.clock.set_offset(gateway.clock.offset() + pause)
            await until(
                lambda number=number: len(of_kind(gateway, EventKind.HANDED_OVER)) == number
            )
        gateway.clock.set_offset(gateway.clock.offset() + timedelta(days=1))
        gateway.schedule.run_due()
        assert len(product.calls) == 8
        assert sum(MO_RETRIES, timedelta()) == timedelta(minutes=254)


@pytest.mark.parametrize(
    ("digits", "order"), [("0021", [1, 1, 2, 2]), ("0022", [2, 1]), ("0024", [1])]
)
async def test_a_magic_handset_has_its_parts_doubled_or_out_of_order(play, digits, order):
    async with play() as played:
        await played.gateway.text(MAGIC + digits, NUMBER, "x" * 200)
        found = callbacks_of(played.product)
        places = [concatenation_from_udh(bytes.fromhex(each.udh)) for each in found]
        assert [place.number for place in places] == order


async def test_six_hours_without_a_word_stop_and_are_billed(play):
    async with play() as played, way_to(played.gateway, WayName.HTTP) as way:
        gateway = played.gateway
        await gateway.text(HANDSET, NUMBER, "stop")
        assert gateway.consent_of(HANDSET) == {NUMBER: Belief.CONFIRMATION_DUE}
        charged = len(gateway.account.charges)
        gateway.clock.set_offset(timedelta(hours=6))
        await until(lambda: of_kind(gateway, EventKind.SHOWN))
        (shown,) = of_kind(gateway, EventKind.SHOWN)
        assert shown.text == f"You will no longer receive messages from the short code {NUMBER}"
        assert len(gateway.account.charges) == charged + 1
        (answer,) = await way.submit(submission(), always)
        assert answer.code == "122"
        await gateway.text(HANDSET, NUMBER, "hello again")
        (answer,) = await way.submit(submission(), always)
        assert answer.code == ""


async def test_a_confirmation_of_the_customer_ends_the_six_hours(play):
    async with play() as played, way_to(played.gateway, WayName.HTTP) as way:
        await played.gateway.text(HANDSET, NUMBER, "STOP")
        await way.submit(submission("You are out."), always)
        assert played.gateway.consent_of(HANDSET) == {NUMBER: Belief.STOPPED}
        played.gateway.clock.set_offset(timedelta(hours=7))
        played.gateway.schedule.run_due()
        await until(lambda: of_kind(played.gateway, EventKind.SHOWN))
        assert [each.text for each in of_kind(played.gateway, EventKind.SHOWN)] == ["You are out."]


async def test_a_custom_reply_goes_at_once(play):
    async with play(custom_replies={"STOP": "Bye."}) as played:
        await played.gateway.text(HANDSET, NUMBER, "Stop")
        assert [each.text for each in of_kind(played.gateway, EventKind.SHOWN)] == ["Bye."]
        assert played.gateway.consent_of(HANDSET) == {NUMBER: Belief.STOPPED}


@pytest.mark.parametrize("text", ["please do not cancel", "", "STOPPED by the shop"])
async def test_what_is_no_stop_message_stops_nothing(play, text):
    async with play() as played:
        await played.gateway.text(HANDSET, NUMBER, text)
        assert played.gateway.consent_of(HANDSET) == {}


async def test_the_truth_knows_what_came_twice(play, tmp_path):
    async with play() as played, way_to(played.gateway, WayName.HTTP) as way:
        sent = submission()
        await way.submit(sent, always)
        assert twice(seen_in(tmp_path)) == []
        await way.submit(sent, always)
        (again,) = twice(seen_in(tmp_path))
        assert again["client_id"] == sent.command.command_id
        assert sent.command.command_id.encode() in bytes.fromhex(again["octets"])
