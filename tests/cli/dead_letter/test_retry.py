"""A refused record is sent again: once, unchanged, and with a record of the retry."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from kafka.errors import KafkaError

from pipeline.avro.single_object import decode, encode
from pipeline.cli.ask.broker import Outgoing, open_consumer, open_producer, publish
from pipeline.cli.ask.reading import newest_records
from pipeline.cli.dead_letter import retry as dead_letter_retry
from pipeline.cli.dead_letter.reading import all_letters
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import topics
from pipeline.records import DeadLetter, DeadLetterRetry, Header, MoRaw, MtRequest
from pipeline.store.story.again import (
    RETRY_OF,
    Again,
    CannotRetry,
    again_from_letter,
    predecessor_of,
)
from pipeline.wire import http_form, mo_log
from tests.support.mo import callback
from tests.wire.status.test_reports import EXAMPLE, requests

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

AT = datetime(2026, 3, 29, 12, 0, 0, 123456, tzinfo=UTC)
REQUEST = MtRequest(request_id="r", to="4477", text="x", requested_at=AT)


def letter_of(**fields: Any) -> DeadLetter:
    """A request that was refused, with an id of its own."""
    given: dict[str, Any] = {
        "dead_letter_id": secrets.token_hex(16),
        "topic": "",
        "partition": -1,
        "offset": -1,
        "key": None,
        "headers": [],
        "octets": b"",
        "source": "http",
        "stage": "ingest",
        "reason": "missing-from",
        "words": "from is absent",
        "at": AT,
    }
    return DeadLetter(**given | fields)


def http_letter(query: bytes = b"", body: bytes = b"", **fields: Any) -> DeadLetter:
    """A dead letter of ingest, with the headers that ingest writes."""
    headers = [
        Header(name="method", value=b"POST"),
        Header(name="query", value=query),
        Header(name="content-type", value=b"text/xml; \xe9"),
    ]
    return letter_of(headers=headers, octets=body, **fields)


def test_a_request_becomes_the_raw_event_it_would_have_been() -> None:
    letter = http_letter(b"mine=1", b"<clickmo><from>2</from><to>1</to></clickmo>", source="xml")
    again = again_from_letter(letter, alphabet="gsm7")
    assert (again.topic, again.key, again.partition, again.rejected) == ("mo-raw", b"2", None, None)
    assert again.headers == [(RETRY_OF, letter.dead_letter_id.encode())]
    assert decode(again.octets) == MoRaw(
        source="xml",
        received_at=AT,
        method="POST",
        content_type="text/xml; \xe9",
        query=b"mine=1",
        octets=letter.octets,
    )


@pytest.mark.parametrize("shape", requests(EXAMPLE))
def test_a_status_becomes_the_raw_event_it_would_have_been(shape: str) -> None:
    given = requests(EXAMPLE)[shape]
    letter = http_letter(given.query, given.octets, source=given.source)
    again = again_from_letter(letter, alphabet="gsm7")
    assert (again.topic, again.key, again.rejected) == ("mo-raw", b"279995631564", None)
    raw = decode(again.octets)
    assert isinstance(raw, MoRaw)
    assert (raw.source, raw.query, raw.octets) == (given.source, given.query, given.octets)


def test_a_status_of_nobody_goes_to_the_handset_that_is_known_by_now() -> None:
    letter = http_letter(b"apiMsgId=id1234&status=001", source="status-http", reason="missing-to")
    again = again_from_letter(letter, alphabet="gsm7", handset_of=lambda report: "4477")
    assert (again.topic, again.key) == ("mo-raw", b"4477")
    refused = again_from_letter(letter, alphabet="gsm7")
    assert refused.rejected is not None
    assert (refused.topic, refused.rejected.reason) == ("dead-letter", "missing-to")


def test_a_trial_of_a_url_is_not_retried() -> None:
    with pytest.raises(CannotRetry):
        again_from_letter(http_letter(b"x=1", source="status-http"), alphabet="gsm7")


def test_a_line_of_the_log_becomes_its_raw_event() -> None:
    line = mo_log.render(callback("a"))
    again = again_from_letter(letter_of(octets=line, source="ftp"), alphabet="gsm7")
    raw = decode(again.octets)
    assert isinstance(raw, MoRaw)
    assert (again.topic, again.key, raw.octets, raw.alphabet) == (
        "mo-raw",
        callback("a").handset.encode(),
        line,
        "",
    )


def test_a_record_goes_where_it_stood_with_its_key_and_headers() -> None:
    trace, before = Header(name="trace", value=b"\x00"), Header(name=RETRY_OF, value=b"before")
    letter = letter_of(
        topic="mt-request",
        partition=3,
        offset=8,
        key=b"4477",
        headers=[trace, before],
        octets=encode(REQUEST),
        source="",
        stage="gate",
    )
    assert predecessor_of(letter) == "before"
    again = again_from_letter(letter, alphabet="gsm7")
    assert again == Again(
        topic="mt-request",
        partition=3,
        key=b"4477",
        octets=encode(REQUEST),
        headers=[("trace", b"\x00"), (RETRY_OF, letter.dead_letter_id.encode())],
    )


def test_what_is_refused_again_is_the_next_letter() -> None:
    letter = http_letter(b"to=1&text=%zz", reason="unreadable-record")
    again = again_from_letter(letter, alphabet="gsm7")
    following = decode(again.octets)
    assert isinstance(following, DeadLetter)
    assert again.topic == "dead-letter"
    assert following.dead_letter_id != letter.dead_letter_id
    assert predecessor_of(following) == letter.dead_letter_id
    assert following.reason == "broken-percent-encoding"
    assert (following.octets, following.at, following.headers[:3]) == (
        letter.octets,
        letter.at,
        letter.headers,
    )
    assert again_from_letter(letter, alphabet="gsm7") == again
    third = decode(again_from_letter(following, alphabet="gsm7").octets)
    assert isinstance(third, DeadLetter)
    assert predecessor_of(third) == following.dead_letter_id
    assert len(third.headers) == len(following.headers)


@pytest.mark.parametrize(
    ("letter", "words"),
    [
        pytest.param(letter_of(reason="too-long"), "beginning", id="cut"),
        pytest.param(http_letter(b"probe=1"), "no message", id="no-callback"),
        pytest.param(letter_of(topic="numbers", partition=0), "publish a new one", id="numbers"),
        pytest.param(letter_of(topic="mo-part", stage="store"), "the store alone", id="store"),
    ],
)
def test_what_cannot_be_retried_says_why(letter: DeadLetter, words: str) -> None:
    with pytest.raises(CannotRetry, match=words):
        again_from_letter(letter, alphabet="gsm7")


pytest_broker = pytest.mark.broker


@pytest.fixture
def run(kafka: str, run_on: Run) -> Run:
    """Runs a command line on the suite's broker."""
    return partial(run_on, kafka)


def bury(kafka: str, *letters: DeadLetter) -> None:
    publish(kafka, [Outgoing(topic=topics.DEAD_LETTER, record=letter) for letter in letters])


def newest(kafka: str, topic: str) -> list[Any]:
    with open_consumer(kafka) as consumer:
        return newest_records(consumer, topic, window=10_000)


def sent_again(kafka: str, letter: DeadLetter, topic: str = topics.MO_RAW) -> list[Any]:
    """The records that name the dead letter."""
    link = (RETRY_OF, letter.dead_letter_id.encode())
    return [record for record in newest(kafka, topic) if link in (record.headers or ())]


def retries_of(kafka: str, letter: DeadLetter) -> list[DeadLetterRetry]:
    found = [decode(record.value) for record in newest(kafka, topics.DEAD_LETTER_RETRY)]
    return [
        retry
        for retry in found
        if isinstance(retry, DeadLetterRetry) and retry.dead_letter_id == letter.dead_letter_id
    ]


def listed(run: Run) -> dict[str, dict[str, Any]]:
    _, out, _ = run("dead-letter", "list", "--json", "--max", "1000")
    return {line["id"]: line for line in map(json.loads, out.splitlines())}


@pytest_broker
def test_a_letter_is_sent_again_once_however_often_it_is_retried(run: Run, kafka: str) -> None:
    letter = http_letter(http_form.render(callback("again")))
    bury(kafka, letter)
    name = letter.dead_letter_id
    assert listed(run)[name]["retried_at"] is None
    code, out, err = run("dead-letter", "retry", name, "--by", "anna")
    assert (code, out, err) == (0, f"{name}  sent to mo-raw again\n", "")
    code, out, err = run("dead-letter", "retry", name)
    assert (code, out) == (0, "")
    assert err.startswith(f"{name}  was retried by anna at ")
    (record,) = sent_again(kafka, letter)
    assert record.key == callback("again").handset.encode()
    assert record.partition == topics.partition_of(record.key, 4)
    assert record.value == again_from_letter(letter, alphabet="gsm7").octets
    (retry,) = retries_of(kafka, letter)
    assert (retry.actor, retry.topic, retry.reason) == ("anna", "mo-raw", "")
    assert listed(run)[name]["retried_at"] == retry.at.isoformat().replace("+00:00", "Z")


@pytest_broker
def test_one_that_is_refused_again_is_a_letter_of_its_own(run: Run, kafka: str) -> None:
    letter = http_letter(b"to=1&text=refused")
    bury(kafka, letter)
    code, out, _ = run("dead-letter", "retry", letter.dead_letter_id)
    assert code == 0
    assert "refused again, missing-from: from is absent" in out
    (following,) = (
        shown for shown in listed(run).values() if shown["retry_of"] == letter.dead_letter_id
    )
    assert (following["retried_at"], following["reason"]) == (None, "missing-from")
    (retry,) = retries_of(kafka, letter)
    assert (retry.topic, retry.reason) == ("dead-letter", "missing-from")
    assert sent_again(kafka, letter) == []
    assert run("dead-letter", "retry", following["id"])[0] == 0
    assert following["id"] in {shown["retry_of"] for shown in listed(run).values()}


@pytest_broker
def test_without_ids_it_is_shown_and_only_then_done(run: Run, kafka: str) -> None:
    # No log line is refused as XML: these letters are this test's alone.
    fields = {"source": "ftp", "reason": "not-xml"}
    letters = [letter_of(octets=mo_log.render(callback(text)), **fields) for text in "ab"]
    bury(kafka, *letters, letter_of(**fields | {"reason": "too-long", "octets": b"x"}))
    command = ("dead-letter", "retry", "--source", "ftp", "--reason", "not-xml")
    code, out, err = run(*command)
    wanted = {f"{letter.dead_letter_id}  would be sent to mo-raw again" for letter in letters}
    assert (code, set(out.splitlines()), err) == (0, wanted, "")
    assert [sent_again(kafka, letter) for letter in letters] == [[], []]
    assert run(*command, "--yes")[0] == 0
    assert [len(sent_again(kafka, letter)) for letter in letters] == [1, 1]
    _, out, err = run(*command, "--yes")
    assert (out, err.count("was retried")) == ("", 2)


@pytest_broker
def test_what_is_not_there_or_cannot_be_retried_is_said_and_fails(run: Run, kafka: str) -> None:
    good, cut = http_letter(http_form.render(callback("good"))), letter_of(reason="too-long")
    bury(kafka, good, cut)
    code, out, err = run(
        "dead-letter", "retry", good.dead_letter_id, cut.dead_letter_id, "no-such-letter"
    )
    assert (code, out) == (1, f"{good.dead_letter_id}  sent to mo-raw again\n")
    assert f"{cut.dead_letter_id}  cannot be retried: only its beginning was kept\n" in err
    left = ", ".join(sorted([cut.dead_letter_id, "no-such-letter"]))
    assert err.endswith(f"twoway: 2 of 3 not retried: {left}\n")
    assert retries_of(kafka, cut) == []


@pytest_broker
def test_of_two_at_the_same_time_the_later_one_alone_counts(run: Run, kafka: str) -> None:
    letter = http_letter(http_form.render(callback("race")))
    bury(kafka, letter)
    again = again_from_letter(letter, alphabet="gsm7")
    retry = DeadLetterRetry(
        dead_letter_id=letter.dead_letter_id,
        topic=again.topic,
        reason="",
        words="",
        actor="the first",
        at=AT,
    )

    def overtaken() -> None:
        with open_producer(kafka, transactional_id=dead_letter_retry.TRANSACTION) as first:
            first.init_transactions()  # it has read that nobody has retried the letter
            assert run("dead-letter", "retry", letter.dead_letter_id)[0] == 0
            dead_letter_retry._publish(first, [again], [retry])

    with pytest.raises(CommandError, match="does not answer as it should"):
        overtaken()
    assert len(sent_again(kafka, letter)) == 1
    assert [each.actor for each in retries_of(kafka, letter)] != ["the first"]


@pytest_broker
def test_one_that_dies_before_its_commit_has_done_nothing(
    run: Run, kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = http_letter(http_form.render(callback("dies")))
    bury(kafka, letter)

    def die(*_: Any) -> None:
        raise KafkaError("killed here")

    with monkeypatch.context() as patched:
        patched.setattr("kafka.KafkaProducer.commit_transaction", die)
        assert run("dead-letter", "retry", letter.dead_letter_id)[0] == 1
    assert run("dead-letter", "retry", letter.dead_letter_id)[0] == 0
    assert len(sent_again(kafka, letter)) == len(retries_of(kafka, letter)) == 1


@pytest_broker
def test_letters_are_read_back_as_they_were_kept(kafka: str) -> None:
    letter = msgspec.structs.replace(http_letter(b"\xff\x00"), octets=bytes(range(256)))
    bury(kafka, letter)
    with open_consumer(kafka) as consumer:
        assert letter in list(all_letters(consumer))


@pytest.mark.parametrize(
    "arguments", [[], ["0f", "--source", "http"], ["--yes"]], ids=["nothing", "both", "yes-alone"]
)
def test_letters_are_named_in_one_way(arguments: list[str], run_on: Run) -> None:
    assert run_on("127.0.0.1:1", "dead-letter", "retry", *arguments)[0] == 2
