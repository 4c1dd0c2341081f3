"""Stops and decisions that come from an operator and not by SMS, on the running stack."""

from __future__ import annotations

import json

import pytest

from pipeline.cli.ask.broker import Outgoing, open_consumer, publish
from pipeline.cli.ask.reading import partitions_of
from pipeline.kafka import topics
from pipeline.records import ConsentAction, ConsentRequest
from tests.support.rented_numbers import ANN, NUMBERS, SHARED

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

WHY = ("--reason", "Asked by letter.", "--by", "anna")


def changes(outside, handset, at_least=1):
    rows = outside.rows("consent_change", handset, at_least=at_least, order="recorded_at")
    return [(row["scope"], row["rule"], row["state"], row["gateway_state"]) for row in rows]


def counted(outside, handset):
    query = "SELECT count() AS n FROM consent_change WHERE handset = {h:String}"
    return outside.sql(query, h=handset)[0]["n"]


def worked_off(outside, handset):
    """Wait until all orders are carried out: an MT request made now is judged after them."""
    return outside.decided(outside.ask_mt(to=handset, text="news"))


def test_stop_and_open_say_who_and_why(outside, handset):
    order = outside.running.cli("stop", f"+{handset}", ANN, *WHY).stdout.strip()
    (change,) = outside.rows("consent_change", handset)
    assert (change["scope"], change["rule"]) == (ANN, "operator")
    assert (change["state"], change["gateway_state"]) == ("stopped", "open")
    assert (change["actor"], change["reason"]) == ("anna", "Asked by letter.")
    (asked,) = outside.rows("consent_request", handset)
    assert (asked["request_id"], asked["action"], asked["actor"]) == (order, "stop", "anna")
    assert worked_off(outside, handset)["rule"] == "opted-out"
    outside.running.cli("open", handset, ANN, *WHY)
    assert changes(outside, handset, 2)[1] == (ANN, "operator", "open", "open")
    assert worked_off(outside, handset)["state"] == "command"


def test_stop_says_what_is_stopped_now_and_an_unlisted_number_takes_force(outside, handset):
    stopped = outside.running.cli("stop", handset, ANN, *WHY)
    assert f"number {ANN}: ours stopped, the gateway's open, since 20" in stopped.stderr
    assert stopped.stdout.count("\n") == 1
    again = outside.running.cli("stop", handset, ANN, *WHY)
    assert "nothing changed, because the state was the same before" in again.stderr
    refused = outside.running.cli("stop", handset, "12345678", *WHY, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is not in the directory of numbers" in refused.stderr
    forced = outside.running.cli("stop", handset, "12345678", *WHY, "--force")
    assert "number 12345678: ours stopped" in forced.stderr


def test_without_a_number_it_is_the_account(outside, handset):
    outside.running.cli("stop", handset, *WHY)
    assert changes(outside, handset) == [("main", "operator", "stopped", "open")]
    assert worked_off(outside, handset)["rule"] == "opted-out"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--account", "nobody"), "there is no such account"),
        ((SHARED, "--keyword", "chess"), "the number has no such keyword"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused_at_once(outside, handset, arguments, words):
    refused = outside.running.cli("stop", handset, *arguments, *WHY, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert words in refused.stderr


def test_an_order_in_a_wrong_partition_counts_and_the_same_id_again_changes_nothing(
    outside, handset
):
    def order(action):
        return ConsentRequest(
            request_id=f"o-{handset}",
            handset=handset,
            number=ANN,
            action=action,
            actor="anna",
            reason="Asked by letter.",
            requested_at=outside.clock.now(),
        )

    key = handset.encode()
    wrong = (topics.partition_of(key, 4) + 1) % 4
    kafka = outside.running.stack.kafka
    stop = Outgoing(topic=topics.CONSENT_REQUEST, record=order("stop"), partition=wrong)
    publish(kafka, [stop])
    assert changes(outside, handset) == [(ANN, "operator", "stopped", "open")]
    again = Outgoing(topic=topics.CONSENT_REQUEST, record=order("open"), key=key)
    publish(kafka, [again])
    assert worked_off(outside, handset)["rule"] == "opted-out"
    assert counted(outside, handset) == 1


def test_an_order_that_cannot_be_carried_out_is_a_dead_letter(outside, handset):
    wrong = ConsentRequest(
        request_id=f"w-{handset}",
        handset=handset,
        action="halt",
        actor="anna",
        reason="x",
        requested_at=outside.clock.now(),
    )
    key = handset.encode()
    publish(
        outside.running.stack.kafka,
        [Outgoing(topic=topics.CONSENT_REQUEST, record=wrong, key=key)],
    )
    query = (
        "SELECT stage, reason FROM dead_letter WHERE topic = 'consent-request' AND key = {h:String}"
    )
    letters = outside.wait(lambda: outside.sql(query, h=handset) or None, "the dead letter")
    assert letters == [{"stage": "consent", "reason": "wrong-order"}]
    assert worked_off(outside, handset)["state"] == "command"


def listed(outside):
    lines = outside.running.cli("review", "--json", "--max", "1000").stdout.splitlines()
    return {line["message_id"]: line for line in map(json.loads, lines)}


def reviewed(outside, handset, text):
    outside.text(handset, text)
    (message,) = outside.rows("mo_message", handset)
    assert message["flags"] == ["review"]
    return message["message_id"]


def test_a_review_accepted_is_a_stop_and_no_longer_listed(outside, handset):
    message_id = reviewed(outside, handset, "please stop texting me")
    assert listed(outside)[message_id]["text"] == "please stop texting me"
    outside.running.cli("review", "accept", message_id, *WHY)
    assert changes(outside, handset) == [(ANN, "operator", "stopped", "open")]
    (change,) = outside.rows("consent_change", handset)
    assert (change["mo_message_id"], change["actor"]) == (message_id, "anna")
    assert worked_off(outside, handset)["mo_message_id"] == message_id
    outside.rows("consent_request", handset)
    assert message_id not in listed(outside)
    again = outside.running.cli("review", "dismiss", message_id, *WHY, check=False)
    assert again.returncode == 1
    assert "is decided: accept by anna" in again.stderr


def test_a_review_dismissed_changes_nothing_and_is_no_longer_listed(outside, handset):
    message_id = reviewed(outside, handset, "do not cancel my order")
    outside.running.cli("review", "dismiss", message_id, *WHY)
    (asked,) = outside.rows("consent_request", handset)
    assert (asked["action"], asked["mo_message_id"]) == (ConsentAction.DISMISS, message_id)
    assert message_id not in listed(outside)
    assert worked_off(outside, handset)["state"] == "command"
    assert counted(outside, handset) == 0


@pytest.mark.parametrize(
    ("text", "words"), [("hello", "is not flagged for review"), (None, "there is no message")]
)
def test_what_is_not_under_review_cannot_be_decided(outside, handset, text, words):
    message_id = "0" * 32
    if text:
        outside.text(handset, text)
        (message,) = outside.rows("mo_message", handset)
        message_id = message["message_id"]
    refused = outside.running.cli("review", "accept", message_id, *WHY, check=False)
    assert refused.returncode == 1
    assert words in refused.stderr


def test_an_import_reports_wrong_lines_and_a_second_one_changes_nothing(outside, tmp_path):
    handsets = [outside.new_handset() for _ in range(30)]
    lines = [f"{handset},{ANN},Letter {i}" for i, handset in enumerate(handsets)]
    lines.insert(10, "ACME,,x")
    file = tmp_path / "stops.csv"
    file.write_text("\n".join(["handset,number,reason", *lines]) + "\n")
    done = outside.running.cli("stops", "import", str(file), "--by", "anna", check=False)
    assert (done.returncode, done.stdout) == (1, "30 stops are ordered\n")
    assert "line 12: the handset is not digits" in done.stderr
    for i, handset in enumerate(handsets):
        (change,) = outside.rows("consent_change", handset)
        assert (change["state"], change["actor"], change["reason"]) == (
            "stopped",
            "anna",
            f"Letter {i}",
        )
    outside.let_a_second_begin()
    outside.text(handsets[0], "I am back")
    outside.rows("consent_change", handsets[0], at_least=2)
    nowhere = str(tmp_path / "none" / "wrong.txt")
    refused = outside.running.cli("stops", "import", str(file), "--wrong", nowhere, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    report = tmp_path / "wrong.txt"
    outside.running.cli("stops", "import", str(file), "--wrong", str(report), check=False)
    assert report.read_text() == "line 12: the handset is not digits\n"
    outside.rows("consent_request", handsets[-1], at_least=2)
    assert worked_off(outside, handsets[0])["state"] == "command"
    assert [counted(outside, each) for each in handsets] == [2] + [1] * 29


def test_why_says_the_state_its_message_and_what_would_change_it(outside, handset):
    assert f"nothing is known of {handset}" in outside.running.cli("why", handset).stdout
    outside.text(handset, "Stop, please!")
    outside.text(handset, "stop!")
    (change,) = outside.rows("consent_change", handset)
    said = outside.running.cli("why", f"+{handset}", ANN).stdout
    assert f'by "stop!" to {ANN} (message {change["mo_message_id"]}) (rule stop-word)' in said
    assert "the default text goes out at " in said
    assert "an MT is refused: opted-out" in said
    assert f"`twoway open {handset} {ANN} --reason …` opens ours" in said
    assert outside.running.cli("why", handset).stdout == said


def ends(outside):
    """The end offsets of the topics to which a decision or an order would be written."""
    names = (
        topics.CONSENT_CHANGE,
        topics.CONSENT_REQUEST,
        topics.MO_MESSAGE,
        topics.MO_RAW,
        topics.MT_COMMAND,
        topics.MT_REJECTION,
        topics.NUMBERS,
    )
    with open_consumer(outside.running.stack.kafka) as consumer:
        return consumer.end_offsets(partitions_of(consumer, names))


def test_replay_shows_who_would_be_stopped_and_changes_nothing(outside, handset, tmp_path):
    outside.text(handset, "No more, thanks")
    outside.text(handset, "basta")
    outside.rows("mo_message", handset, at_least=2)
    rules = tmp_path / "changed.toml"
    rules.write_text(
        NUMBERS.replace(f'number = "{ANN}"\n', f'number = "{ANN}"\nextra_stop_words = ["basta"]\n')
    )
    arguments = ("replay", "--rule", str(rules), "--json", "--since")
    before = ends(outside)
    said = outside.running.cli(*arguments, "2020-01-01").stdout.splitlines()
    (found,) = [each for each in map(json.loads, said) if each["handset"] == handset]
    assert (found["scope"], found["before"]["ours"]) == (ANN, "open")
    assert found["after"]["ours"] == "confirmation-due"
    assert ends(outside) == before
    assert counted(outside, handset) == 0
    assert worked_off(outside, handset)["state"] == "command"
    words = outside.running.cli("replay", "--rule", str(rules), "--since", "2020-01-01").stdout
    assert f"{handset}  number {ANN}: ours open -> confirmation-due" in words
    assert words.splitlines()[-1].endswith("were read, and nothing was changed")
