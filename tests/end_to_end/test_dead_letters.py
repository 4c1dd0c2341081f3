"""A dead letter that has become readable goes through the stages once, as if it came now."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.ask.broker import Outgoing, publish
from pipeline.kafka import topics
from pipeline.records import ConsentRequest, DeadLetter, Header
from tests.support.rented_numbers import ANN, NUMBERS, SHARED

if TYPE_CHECKING:
    from datetime import datetime

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

LETTERS = """\
SELECT dead_letter_id, words, arrayFirst(h -> h.name = 'twoway-retry-of', headers).value AS retry_of
FROM dead_letter WHERE topic = 'consent-request' AND key = {h:String} ORDER BY kafka_offset"""


def letter_of(document: bytes, *, at: datetime) -> DeadLetter:
    """A dead letter of a document that was refused as no XML."""
    return DeadLetter(
        dead_letter_id=secrets.token_hex(16),
        topic="",
        partition=-1,
        offset=-1,
        key=None,
        headers=[Header(name="method", value=b"POST"), Header(name="query", value=b"")],
        octets=document,
        source="xml",
        stage="ingest",
        reason="not-xml",
        words="not taken as XML: its encoding is not known",
        at=at,
    )


def bury(outside, letter: DeadLetter) -> None:
    kafka = outside.running.stack.kafka
    publish(kafka, [Outgoing(topic=topics.DEAD_LETTER, record=letter)])


def test_a_message_that_an_older_version_could_not_read_comes_once(outside, handset):
    """A document in Shift_JIS, which an older version of ingest refused."""
    given = outside.callback(handset, b"")
    document = (
        '<?xml version="1.0" encoding="Shift_JIS"?>'
        f"<clickmo><moMsgId>{given.mo_msg_id}</moMsgId><from>{handset}</from><to>{ANN}</to>"
        f"<timestamp>{given.timestamp}</timestamp><text>こんにちは</text>"
        "<charset>UTF-16BE</charset></clickmo>"
    ).encode("shift_jis")
    letter = letter_of(document, at=outside.clock.now())
    bury(outside, letter)
    retry = ("dead-letter", "retry", letter.dead_letter_id, "--by", "anna")
    assert outside.running.cli(*retry).stdout == f"{letter.dead_letter_id}  sent to mo-raw again\n"
    (row,) = outside.rows("mo_message", handset)
    assert (row["text"], row["mo_msg_ids"], row["source"]) == (
        "こんにちは",
        [given.mo_msg_id],
        "xml",
    )
    received = "SELECT received_at = {at:DateTime64(3, 'UTC')} AS same FROM mo_message"
    at = f"{letter.at:%Y-%m-%d %H:%M:%S}.{letter.at.microsecond // 1000:03}"
    query = f"{received} WHERE handset = {{h:String}}"
    assert outside.sql(query, h=handset, at=at) == [{"same": 1}]
    assert "was retried by anna" in outside.running.cli(*retry).stderr
    answer = outside.http.post(f"{outside.ingest}/mo/xml", content=document)  # the gateway, again
    assert answer.status_code == 200
    outside.text(handset, "after it")
    rows = outside.rows("mo_message", handset, at_least=2, order="received_at")
    assert [row["text"] for row in rows] == ["こんにちは", "after it"]
    # What a transaction leaves at the end of mo-raw holds no request up.
    assert outside.decided(outside.ask_mt(to=handset, text="news"))["state"] == "command"
    retries = outside.wait(
        lambda: (
            outside.sql(
                "SELECT actor, topic, reason FROM dead_letter_retry "
                "WHERE dead_letter_id = {i:String}",
                i=letter.dead_letter_id,
            )
            or None
        ),
        "the retry",
    )
    assert retries == [{"actor": "anna", "topic": "mo-raw", "reason": ""}]


def test_an_order_counts_once_the_directory_is_right(outside, handset):
    def letters(count):
        return outside.wait(
            lambda: found if len(found := outside.sql(LETTERS, h=handset)) == count else None,
            f"{count} letters",
        )

    order = ConsentRequest(
        request_id=f"order-{handset}",
        handset=handset,
        number=SHARED,
        keyword="NEWS",
        action="stop",
        actor="anna",
        reason="By letter.",
        requested_at=outside.clock.now(),
    )
    outgoing = Outgoing(topic=topics.CONSENT_REQUEST, record=order, key=handset.encode())
    publish(outside.running.stack.kafka, [outgoing])
    (first,) = letters(1)
    assert first["words"] == "the number has no such keyword"
    outside.running.cli("dead-letter", "retry", first["dead_letter_id"])
    first, second = letters(2)
    assert (first["retry_of"], second["retry_of"]) == ("", first["dead_letter_id"])
    try:
        outside.load_numbers(NUMBERS.replace('["Fun", "game"]', '["Fun", "game", "NEWS"]'))
        outside.running.cli("dead-letter", "retry", second["dead_letter_id"])
        (change,) = outside.rows("consent_change", handset)
    finally:
        outside.load_numbers()
    assert (change["scope"], change["rule"], change["state"]) == (
        f"{SHARED}/NEWS",
        "operator",
        "stopped",
    )
    said = outside.running.cli("dead-letter", "list", "--max", "500").stdout
    (line,) = (line for line in said.splitlines() if line.startswith(second["dead_letter_id"]))
    assert f", a retry of {first['dead_letter_id']}, retried " in line


def test_a_letter_does_not_bring_back_who_was_forgotten(outside, handset):
    document = f"<clickmo><from>{handset}</from><to>{ANN}</to><text>x</text></clickmo>".encode()
    letter = letter_of(document, at=outside.clock.now())
    bury(outside, letter)
    outside.running.cli("forget", handset, "--reason", "Asked by letter.", "--by", "anna")
    retry = ("dead-letter", "retry", letter.dead_letter_id)
    said = outside.running.cli(*retry, check=False)
    assert said.returncode == 1
    assert "cannot be retried: its handset was forgotten" in said.stderr
    later = letter_of(document, at=outside.clock.now())
    bury(outside, later)
    outside.running.cli("dead-letter", "retry", later.dead_letter_id)
    (row,) = outside.rows("mo_message", handset)
    assert row["text"] == "x"
