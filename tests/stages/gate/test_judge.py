"""The gate: the sender, the rules in their order, and the content of a command."""

from datetime import timedelta
from itertools import pairwise

import pytest

from pipeline.directory.directory import Directory
from pipeline.identity import request_digest
from pipeline.records import GateRule
from pipeline.stages.gate.judge import GateRules, judge
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import (
    ANN,
    API_ID,
    BOB,
    CODE,
    DIRECTORY,
    HANDSET,
    INSIDE,
    NOON,
    PREMIUM,
    PREMIUM_VMN,
    QUIET,
    SHARED,
    directory_from,
)

RULES = GateRules()


@pytest.fixture
def talk() -> Conversation:
    """A handset that has sent nothing yet."""
    return Conversation()


def test_a_request_becomes_a_command(talk: Conversation) -> None:
    [command] = talk.asks(mt("Ahoj", ANN, to=f"+{HANDSET}")).commands
    assert (command.handset, command.sender_id, command.text) == (HANDSET, ANN, "Ahoj")
    assert (command.request_id, command.purpose, command.mo_message_id) == ("r-1", "reply", "")
    assert (command.mo, command.reply_expected) == (True, True)
    assert (command.at, command.not_after) == (NOON, NOON + timedelta(hours=24))
    assert (command.api_id, command.account, command.keyword) == (API_ID, "main", "")
    assert (command.encoding, command.parts) == ("gsm7", 1)
    assert [(s.scope_kind, s.scope) for s in command.scopes] == [
        ("number", ANN),
        ("account", "main"),
    ]
    assert len(command.command_id) == 32
    assert talk.row is None


def test_the_command_id_is_of_the_request_and_the_handset(talk: Conversation) -> None:
    def command_id(**fields: str) -> str:
        return talk.asks(mt(**fields)).commands[0].command_id

    assert command_id() == command_id() == command_id(to=f"+{HANDSET}") == command_id(text="other")
    assert len({command_id(), command_id(request_id="r-2"), command_id(to="27829999999")}) == 3


def refused(talk: Conversation, **fields: object) -> str:
    """The rule that refuses this request."""
    id_reused = bool(fields.pop("id_reused", False))
    request = mt(**({"sender": fields.pop("sender_id", BOB)} | fields))
    decision = judge(
        talk.row, request, directory=DIRECTORY, now=talk.now, rules=RULES, id_reused=id_reused
    )
    assert not decision.commands
    [rejection] = decision.rejections
    assert HANDSET not in rejection.detail
    return rejection.rule


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param(
            {"sender_id": ANN}, {"to": HANDSET, "text": ""}, id="opted-out before text-empty"
        ),
        pytest.param(
            {"sender_id": ANN}, {"to": "0821234567"}, id="opted-out before not-international"
        ),
    ],
)
def test_opted_out_comes_first(
    talk: Conversation, earlier: dict[str, object], later: dict[str, object]
) -> None:
    talk.says("STOP")
    assert refused(talk, **(earlier | later)) == GateRule.OPTED_OUT


ORDER = [
    (GateRule.NOT_INTERNATIONAL, {"to": "0821234567"}),
    (GateRule.OWN_NUMBER, {"to": INSIDE}),
    (GateRule.SENDER_NOT_ALLOWED, {"sender_id": "27999999999"}),
    (GateRule.KEYWORD_NEEDED, {"sender_id": SHARED}),
    (GateRule.TEXT_EMPTY, {"text": " \n"}),
    (GateRule.TEXT_TOO_LONG, {"text": "x" * 460}),
    (GateRule.CONFIRMATION_NOT_DUE, {"confirms_opt_out": True}),
    (GateRule.ID_REUSED, {"id_reused": True}),
    (GateRule.EXPIRED, {"not_after": NOON - timedelta(seconds=1)}),
]


@pytest.mark.parametrize(("rule", "fields"), ORDER, ids=[rule for rule, _ in ORDER])
def test_each_rule_refuses_by_itself(
    talk: Conversation, rule: GateRule, fields: dict[str, object]
) -> None:
    assert refused(talk, **fields) == rule


@pytest.mark.parametrize(
    ("first", "second"),
    list(pairwise(ORDER)),
    ids=[f"{a}-before-{b}" for (a, _), (b, _) in pairwise(ORDER)],
)
def test_of_two_rules_the_first_is_named(
    talk: Conversation,
    first: tuple[GateRule, dict[str, object]],
    second: tuple[GateRule, dict[str, object]],
) -> None:
    assert refused(talk, **(second[1] | first[1])) == first[0]


@pytest.mark.parametrize(
    "to",
    [
        "0821234567",
        "+0821234567",
        "1234567",
        "1234567890123456",
        "ACME",
        "",
        "++27821234567",
        "2782123456x",
        "\uff12\uff17821234567",
        "27 82 123 4567",
    ],
)
def test_destinations_that_are_not_international(talk: Conversation, to: str) -> None:
    assert refused(talk, to=to) == GateRule.NOT_INTERNATIONAL


@pytest.mark.parametrize("to", ["12345678", "123456789012345", "+27821234567", " 27821234567"])
def test_destinations_that_are(talk: Conversation, to: str) -> None:
    assert talk.asks(mt(to=to)).commands


@pytest.mark.parametrize("to", [ANN, f"+{ANN}", INSIDE, PREMIUM_VMN])
def test_no_number_of_ours_is_a_destination(talk: Conversation, to: str) -> None:
    assert refused(talk, to=to) == GateRule.OWN_NUMBER


@pytest.mark.parametrize(
    ("sender", "allowed"),
    [
        pytest.param(ANN, True, id="a-number-of-ours"),
        pytest.param(f"+{ANN}", True, id="with-a-plus"),
        pytest.param(CODE, True, id="a-short-code-of-ours"),
        pytest.param(INSIDE, True, id="any-number-of-a-range"),
        pytest.param(PREMIUM, True, id="a-premium-short-code"),
        pytest.param("ACME", True, id="a-listed-alpha"),
        pytest.param("447700800000", True, id="listed-digits"),
        pytest.param(PREMIUM_VMN, False, id="a-premium-vmn-never-sends"),
        pytest.param(QUIET, False, id="may-not-send"),
        pytest.param("27600000200", False, id="one-after-the-range"),
        pytest.param("2760000015", False, id="a-digit-less-than-the-range"),
        pytest.param("acme", False, id="another-alpha"),
        pytest.param("447700800001", False, id="digits-not-listed"),
    ],
)
def test_who_may_be_sender(talk: Conversation, sender: str, allowed: bool) -> None:
    if allowed:
        assert talk.asks(mt(sender=sender)).commands
    else:
        assert refused(talk, sender_id=sender) == GateRule.SENDER_NOT_ALLOWED


def test_a_premium_vmn_never_sends_even_when_listed() -> None:
    numbers = DIRECTORY.numbers
    directory = Directory(
        type(numbers)(
            loaded_at=numbers.loaded_at,
            digest="",
            numbers=numbers.numbers,
            sender_ids=[PREMIUM_VMN],
        )
    )
    decision = judge(None, mt(sender=PREMIUM_VMN), directory=directory, now=NOON, rules=RULES)
    assert [r.rule for r in decision.rejections] == [GateRule.SENDER_NOT_ALLOWED]


def test_the_keyword_last_used_is_of_the_code_that_sends() -> None:
    codes = "".join(
        f'[[number]]\nkind = "shared-short-code"\nnumber = "{code}"\nkeywords = ["{word}", "OR"]\n'
        for code, word in (("11111", "ONE"), ("22222", "TWO"))
    )
    talk = Conversation(directory_from(codes))
    talk.says("or", "11111")
    talk.says("two", "22222")
    for code, keyword in (("11111", "OR"), ("22222", "TWO")):
        assert [c.keyword for c in talk.asks(mt(sender=code)).commands] == [keyword]


def test_an_alphanumeric_sender_is_judged_by_the_account_alone(talk: Conversation) -> None:
    [command] = talk.asks(mt(sender="ACME")).commands
    assert [(s.scope_kind, s.scope) for s in command.scopes] == [("account", "main")]


class TestWithoutSender:
    """The number last texted, else the api_id's, else none."""

    def test_the_number_the_handset_last_texted(self) -> None:
        talk = Conversation()
        talk.says("hello", BOB)
        talk.pass_minutes(1)
        talk.says("hello", INSIDE)
        talk.says("hello", ANN, late=5)  # came later, was sent earlier
        [command] = talk.asks(mt(sender=None, api_id=API_ID)).commands
        assert command.sender_id == INSIDE

    def test_what_came_late_does_not_make_it_forget_the_newest(self) -> None:
        talk = Conversation()
        talk.says("hello", ANN)
        talk.says("hello", ANN, late=10)
        talk.says("hello", BOB, late=5)
        assert [c.sender_id for c in talk.asks(mt(sender=None)).commands] == [ANN]

    def test_of_two_in_one_second_it_is_the_one_that_came_later(self) -> None:
        talk = Conversation()
        talk.says("hello", BOB)
        talk.says("hello", INSIDE)
        assert [c.sender_id for c in talk.asks(mt(sender=None)).commands] == [INSIDE]

    def test_the_number_of_the_api(self) -> None:
        [command] = Conversation().asks(mt(sender=None, api_id="1002")).commands
        assert (command.sender_id, command.api_id) == (BOB, "1002")

    def test_an_empty_sender_is_none_given(self) -> None:
        [command] = Conversation().asks(mt(sender="", api_id="1002")).commands
        assert command.sender_id == BOB

    def test_else_none_and_the_command_says_why(self) -> None:
        [command] = Conversation().asks(mt(sender=None)).commands
        assert (command.sender_id, command.mo, command.reply_expected) == ("", False, False)
        assert "no sender could be chosen" in command.reply_note
        assert [(s.scope_kind, s.scope) for s in command.scopes] == [("account", "main")]

    def test_the_sender_is_chosen_before_the_rules(self) -> None:
        talk = Conversation()
        talk.says("STOP", ANN)
        [rejection] = talk.asks(mt(sender=None)).rejections
        assert (rejection.rule, rejection.sender_id) == (GateRule.OPTED_OUT, ANN)


def test_a_rejection_says_by_which_message_since_when_and_where(talk: Conversation) -> None:
    talk.says("STOP", late=3)
    talk.pass_minutes(10)
    [rejection] = talk.asks(mt()).rejections
    assert (rejection.rule, rejection.request_id, rejection.handset) == (
        "opted-out",
        "r-1",
        HANDSET,
    )
    assert (rejection.scope_kind, rejection.scope, rejection.sender_id) == ("number", ANN, ANN)
    assert rejection.mo_message_id == "STOP@115700"
    assert rejection.caused_at == NOON - timedelta(minutes=3)
    assert rejection.at == NOON + timedelta(minutes=10)
    assert "2026-03-29 11:57:00 UTC (stop-word)" in rejection.detail
    assert "confirmation-due" in rejection.detail


def test_once_confirmed_the_stop_itself_is_still_the_cause(talk: Conversation) -> None:
    talk.says("STOP")
    talk.tick(345)
    [rejection] = talk.asks(mt()).rejections
    assert (rejection.mo_message_id, rejection.caused_at) == ("STOP@120000", NOON)


@pytest.mark.parametrize(
    ("text", "parts", "encoding"),
    [
        ("x" * 160, 1, "gsm7"),
        ("x" * 459, 3, "gsm7"),
        ("€" * 228, 3, "gsm7"),
        ("ő" * 70, 1, "ucs2"),
        ("ő" * 201, 3, "ucs2"),
    ],
)
def test_texts_that_fit(talk: Conversation, text: str, parts: int, encoding: str) -> None:
    [command] = talk.asks(mt(text)).commands
    assert (command.parts, command.encoding) == (parts, encoding)


@pytest.mark.parametrize("text", ["x" * 460, "€" * 229, "ő" * 202, "\U0001f600" * 100])
def test_texts_that_do_not(talk: Conversation, text: str) -> None:
    assert refused(talk, text=text) == GateRule.TEXT_TOO_LONG


def test_max_parts_can_be_set() -> None:
    decision = judge(
        None, mt("x" * 161), directory=DIRECTORY, now=NOON, rules=GateRules(max_parts=1)
    )
    assert [r.rule for r in decision.rejections] == [GateRule.TEXT_TOO_LONG]


@pytest.mark.parametrize(("seconds", "passes"), [(-1, False), (0, True), (1, True)])
def test_not_after_is_the_last_moment(talk: Conversation, seconds: int, passes: bool) -> None:
    not_after = NOON + timedelta(seconds=seconds)
    decision = talk.asks(mt(not_after=not_after))
    assert bool(decision.commands) == passes
    if passes:
        assert decision.commands[0].not_after == not_after


def test_the_digest_of_a_request_is_of_its_content() -> None:
    same = [
        mt(),
        mt(to=f"+{HANDSET}"),
        mt(requested_at=NOON + timedelta(hours=1)),
        mt(request_id="r-2"),
    ]
    other = [
        mt("other"),
        mt(sender=None),
        mt(keyword="FUN"),
        mt(api_id="1"),
        mt(to="27829999999"),
        mt(confirms_opt_out=True),
        mt(not_after=NOON),
        mt(sender="x", keyword=None),
    ]
    assert len({request_digest(request) for request in same}) == 1
    assert len({request_digest(request) for request in [*same, *other]}) == 1 + len(other)


def test_rejections_of_one_id_with_different_contents_are_told_apart(talk: Conversation) -> None:
    first = talk.asks(mt(" ")).rejections[0]
    second = talk.asks(mt(" \n")).rejections[0]
    assert first.rejection_id != second.rejection_id
    assert first.rejection_id == talk.asks(mt(" ")).rejections[0].rejection_id
