"""What the gateway believes of consent, by the words of guide 7."""

from datetime import timedelta

import pytest

from pipeline.gateway.account.consent import Belief
from pipeline.gateway.rented import Rented
from pipeline.gateway.world import EventKind
from pipeline.sender.apis.api import WayName
from tests.gateway.ways import HANDSET, NUMBER, always, of_kind, submission, until, way_to

OTHER = "447700900998"
CODE = "88802"
DEFAULT = "You will no longer receive messages from the short code {}"  # guide 7.1.1
WORDS = ("STOP", "END", "CANCEL", "UNSUBSCRIBE", "QUIT")  # guide 7.1.1
DUE, STOPPED = Belief.CONFIRMATION_DUE, Belief.STOPPED
HOURS = timedelta(hours=6)


def shown(gateway):
    return [(event.sender_id, event.text) for event in of_kind(gateway, EventKind.SHOWN)]


async def later(gateway, count):
    """Six hours go by, and the handset shows so many messages."""
    gateway.clock.set_offset(gateway.clock.offset() + HOURS)
    await until(lambda: len(shown(gateway)) == count)


async def code_from(gateway, sender, **given):
    async with way_to(gateway, WayName.HTTP, timeout_seconds=30.0) as way:
        (answer,) = await way.submit(submission(sender_id=sender, **given), always)
        return answer.code


@pytest.mark.parametrize("written", [str.upper, str.lower, str.title], ids=["A", "a", "Aa"])
@pytest.mark.parametrize("word", WORDS)
async def test_each_word_of_the_guide_stops_in_any_case(play, word, written):
    async with play() as played:
        await played.gateway.text(HANDSET, NUMBER, written(word))
        assert played.gateway.consent_of(HANDSET) == {NUMBER: DUE}


@pytest.mark.parametrize("word", ["STOP ALL", "stop all", "Stop Stop", "STOP  ALL"])
async def test_stop_all_closes_every_number_of_the_account(play, word):
    async with play(numbers=(NUMBER, OTHER), short_codes=(CODE,)) as played:
        gateway = played.gateway
        await gateway.text(HANDSET, NUMBER, word)
        assert gateway.consent_of(HANDSET) == {"*": DUE}
        await later(gateway, 1)
        assert shown(gateway) == [(NUMBER, DEFAULT.format(NUMBER))]
        for sender in (NUMBER, OTHER, CODE):
            assert await code_from(gateway, sender) == "122"
        assert await code_from(gateway, NUMBER, handset="447700900002") == ""
        await gateway.text(HANDSET, OTHER, "Hello again")
        assert await code_from(gateway, OTHER) == ""
        assert await code_from(gateway, NUMBER) == "122"


async def test_a_stop_of_one_number_leaves_the_others(play):
    async with play(numbers=(NUMBER, OTHER)) as played:
        await played.gateway.text(HANDSET, NUMBER, "STOP")
        await later(played.gateway, 1)
        assert await code_from(played.gateway, NUMBER) == "122"
        assert await code_from(played.gateway, OTHER) == ""


async def test_within_six_hours_the_customer_may_still_send(play):
    async with play() as played:
        await played.gateway.text(HANDSET, NUMBER, "STOP")
        played.gateway.clock.set_offset(HOURS - timedelta(minutes=1))
        played.gateway.schedule.run_due()
        assert await code_from(played.gateway, NUMBER) == ""
        assert played.gateway.consent_of(HANDSET) == {NUMBER: STOPPED}


async def test_a_confirmation_from_another_number_confirms_nothing(play):
    async with play(numbers=(NUMBER, OTHER)) as played:
        await played.gateway.text(HANDSET, NUMBER, "STOP")
        assert await code_from(played.gateway, OTHER) == ""
        assert played.gateway.consent_of(HANDSET) == {NUMBER: DUE}


async def test_the_gateways_own_confirmation_is_billed_as_a_message(play):
    async with play() as played:
        gateway = played.gateway
        await gateway.text(HANDSET, NUMBER, "STOP")
        before = gateway.account.balance
        await later(gateway, 1)
        assert gateway.account.balance == before - 1.0


SHARED = {
    "after": ("STOP fun", {f"{CODE}/FUN": DUE}),
    "before": ("fun STOP", {f"{CODE}/FUN": DUE}),
    "any case": ("Fun stop", {f"{CODE}/FUN": DUE}),
    "another word of the guide": ("QUIT FUN", {f"{CODE}/FUN": DUE}),
    "another keyword": ("stop GAME", {f"{CODE}/GAME": DUE}),
    "more than both": ("please stop fun", {}),
    "a keyword of nobody": ("STOP OTHER", {}),
    "the keyword alone": ("fun", {}),
}


@pytest.fixture
def shared(play):
    return lambda **given: play(
        short_codes=(CODE,), rented=Rented(keywords={CODE: ("FUN", "GAME")}), **given
    )


@pytest.mark.parametrize(("text", "expected"), SHARED.values(), ids=SHARED)
async def test_of_a_shared_code_a_keyword_is_stopped(shared, text, expected):
    """Guide 7.1.2: the keyword before or after the stop word."""
    async with shared() as played:
        await played.gateway.text(HANDSET, CODE, text)
        assert played.gateway.consent_of(HANDSET) == expected


async def test_of_a_shared_code_the_other_keyword_goes_on(shared):
    """No MT names its keyword: while one is open it goes."""
    async with shared() as played:
        gateway = played.gateway
        await gateway.text(HANDSET, CODE, "STOP fun")
        await later(gateway, 1)
        assert shown(gateway) == [(CODE, DEFAULT.format(CODE))]
        assert await code_from(gateway, CODE) == ""
        await gateway.text(HANDSET, CODE, "STOP game")
        await later(gateway, 3)
        assert await code_from(gateway, CODE) == "122"
        await gateway.text(HANDSET, CODE, "game please")
        assert await code_from(gateway, CODE) == ""
        assert gateway.consent_of(HANDSET) == {f"{CODE}/FUN": STOPPED}


@pytest.mark.parametrize(
    ("text", "is_open"),
    [("more fun", True), ("FUN", True), ("hello", False), ("funny", False), ("fun END", False)],
)
async def test_of_a_shared_code_a_message_with_the_keyword_opens(shared, text, is_open):
    """Guide 7.1.2: containing your keyword, and none of the words."""
    async with shared() as played:
        gateway = played.gateway
        await gateway.text(HANDSET, CODE, "STOP fun")
        await later(gateway, 1)
        await gateway.text(HANDSET, CODE, text)
        assert (gateway.consent_of(HANDSET) == {}) is is_open


async def test_of_a_shared_code_a_bare_word_stops_every_keyword(shared):
    """The guide is silent; 7.1.1 has a bare word stop the code it was sent to."""
    async with shared() as played:
        gateway = played.gateway
        await gateway.text(HANDSET, CODE, "STOP")
        assert gateway.consent_of(HANDSET) == {f"{CODE}/FUN": DUE, f"{CODE}/GAME": DUE}
        await later(gateway, 1)
        assert set(gateway.consent_of(HANDSET).values()) == {STOPPED}


async def test_of_a_shared_code_a_message_goes_while_one_keyword_is_not_shut(shared):
    """Before the handset used a keyword; a confirmation that is due lets a message through."""
    async with shared() as played:
        gateway = played.gateway
        await gateway.text(HANDSET, CODE, "STOP")
        await later(gateway, 1)
        assert await code_from(gateway, CODE) == "122"
        assert await code_from(gateway, CODE, handset="447700900002") == ""


@pytest.mark.parametrize("word", [*WORDS, "STOP ALL", "STOP STOP"])
async def test_of_a_premium_number_no_rule_applies(play, word):
    """Guide 7.1.1: "If the short code is MO premium rated, then this rule does not apply."""
    async with play(
        short_codes=(CODE,), rented=Rented(premium={CODE}), custom_replies={"STOP": "Bye."}
    ) as played:
        gateway = played.gateway
        await gateway.text(HANDSET, CODE, word)
        assert gateway.consent_of(HANDSET) == {}
        gateway.clock.set_offset(HOURS)
        gateway.schedule.run_due()
        assert await code_from(gateway, CODE) == ""
        assert await code_from(gateway, NUMBER) == ""
        await until(lambda: len(shown(gateway)) == 2)
        assert {text for _, text in shown(gateway)} == {"Your table is booked."}


async def test_for_an_mt_short_code_its_linked_number_speaks(play):
    """Guide 7.1.1: "from a linked standard rate MO number", so that the handset is not billed."""
    async with play(short_codes=(CODE,), rented=Rented(linked={CODE: NUMBER})) as played:
        gateway = played.gateway
        await gateway.text(HANDSET, CODE, "STOP")
        await later(gateway, 1)
        assert shown(gateway) == [(NUMBER, DEFAULT.format(CODE))]
        assert await code_from(gateway, CODE) == "122"
        assert await code_from(gateway, NUMBER) == ""


async def test_for_an_mt_short_code_its_linked_number_confirms(play):
    async with play(short_codes=(CODE,), rented=Rented(linked={CODE: NUMBER})) as played:
        gateway = played.gateway
        await gateway.text(HANDSET, CODE, "STOP")
        assert await code_from(gateway, NUMBER) == ""
        assert gateway.consent_of(HANDSET) == {CODE: STOPPED}


REPLIES = {
    "its text": ({"QUIT": "Bye."}, "quit", ["Bye."]),
    "enabled without a text": ({"QUIT": ""}, "QUIT", [DEFAULT.format(NUMBER)]),
    "of another word": ({"QUIT": "Bye."}, "STOP", []),
    "HELP": ({"HELP": "Call 123."}, "help", ["Call 123."]),
    "HELP with blanks": ({"HELP": "Call 123."}, " Help ", ["Call 123."]),
    "HELP without a text": ({"HELP": ""}, "HELP", []),
    "HELP that is not enabled": ({}, "HELP", []),
    "HELP among words": ({"HELP": "Call 123."}, "help me", []),
}


@pytest.mark.parametrize(("replies", "text", "expected"), REPLIES.values(), ids=REPLIES)
async def test_a_custom_reply_is_that_of_its_word(play, replies, text, expected):
    """Guide 7.2.1."""
    async with play(custom_replies=replies) as played:
        gateway = played.gateway
        before = gateway.account.balance
        await gateway.text(HANDSET, NUMBER, text)
        assert [words for _, words in shown(gateway)] == expected
        assert gateway.account.balance == pytest.approx(before - 1 / 3 - len(expected))


async def test_help_leaves_consent_as_a_message_does(play):
    async with play(custom_replies={"HELP": "Call 123."}) as played:
        gateway = played.gateway
        await gateway.text(HANDSET, NUMBER, "STOP")
        await gateway.text(HANDSET, NUMBER, "HELP")
        assert gateway.consent_of(HANDSET) == {}  # no stop word is in it (guide 7.1.1, Note)


async def test_a_custom_reply_takes_the_place_of_the_six_hours(play):
    async with play(custom_replies={"STOP": "Bye."}) as played:
        gateway = played.gateway
        await gateway.text(HANDSET, NUMBER, "STOP")
        gateway.clock.set_offset(HOURS * 2)
        gateway.schedule.run_due()
        assert await code_from(gateway, NUMBER) == "122"
        assert shown(gateway) == [(NUMBER, "Bye.")]
