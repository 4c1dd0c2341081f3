"""The agent without Kafka: records go in, a unit of work gives rows and outputs."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest

from ingest.http.mt.requests import asked_from_json
from pipeline.avro import single_object
from pipeline.conversation.agent import Conversation
from pipeline.conversation.refusals import UNREADABLE_IN_A_ROW
from pipeline.conversation.tables import CONSENTS, REQUESTS, SEEN
from pipeline.engine.unit_of_work import UnitOfWork
from pipeline.kafka import readers, topics
from pipeline.records import Clock, ConsentRequest, MtRequest
from pipeline.settings import Settings
from pipeline.sms.msisdn import address_from_text
from pipeline.wrong_deploy import WrongDeploy
from tests.support.partition import HANDSET, NOON, NUMBER, NUMBERS, PARTITIONS, Partition
from tests.support.same_requests import PAIRS


@pytest.fixture
def partition() -> Partition:
    partition = Partition()
    partition.take(topics.NUMBERS, single_object.encode(NUMBERS))
    return partition


def test_the_directory_changes_over_at_its_record():
    partition = Partition()
    partition.raw("before", mo_msg_id="1")
    partition.take(topics.NUMBERS, single_object.encode(NUMBERS))
    partition.raw("after", mo_msg_id="2")
    before, after = partition.written(topics.MO_MESSAGE)
    assert "unknown-number" in before.flags
    assert after.flags == []


def test_the_directory_is_found_again_after_a_restore(partition):
    again = Conversation(partition=partition.number, settings=Settings(partitions=PARTITIONS))
    again.restored(partition.state)
    partition.agent = again
    partition.raw("hello")
    assert partition.written(topics.MO_MESSAGE)[0].flags == []


def test_a_duplicate_writes_nothing(partition):
    partition.raw("hello")
    count = len(partition.outputs)
    partition.raw("hello")
    assert len(partition.outputs) == count


def test_a_duplicate_is_forgotten_after_the_horizon(partition):
    partition.raw("hello")
    partition.tick(NOON + timedelta(hours=167))
    assert len(partition.state.tables[SEEN].due(NOON + timedelta(days=30))) == 1
    partition.tick(NOON + timedelta(hours=169))
    assert partition.state.sizes()[SEEN] == 0


def test_a_request_in_another_partition_is_published_to_its_own_and_not_judged(partition):
    stranger = next(
        handset
        for handset in (f"4479000001{n:02d}" for n in range(100))
        if topics.partition_of(handset.encode(), PARTITIONS) != partition.number
    )
    partition.request("r1", to=f"+{stranger}")
    ((topic, target, key, _),) = partition.outputs
    assert (topic, key) == (topics.MT_REQUEST, stranger.encode())
    assert target == topics.partition_of(stranger.encode(), PARTITIONS)
    assert partition.state.sizes()[REQUESTS] == 0


def test_the_same_request_changes_nothing_and_another_under_its_id_is_refused(partition):
    partition.request("r1", "one")
    partition.request("r1", "one")
    partition.request("r1", "two")
    assert [c.text for c in partition.written(topics.MT_COMMAND)] == ["one"]
    assert [r.rule for r in partition.written(topics.MT_REJECTION)] == ["id-reused"]


def test_time_never_goes_back(partition):
    partition.tick(NOON)
    partition.tick(NOON - timedelta(hours=1))
    assert partition.state.point.time == NOON


def test_a_clock_that_leaps_over_a_week_is_done_in_bounded_units(partition, monkeypatch):
    monkeypatch.setattr("pipeline.engine.due.DUE_AT_MOST", 4)
    for n in range(10):
        partition.raw("hello", mo_msg_id=str(n))
        partition.request(f"r{n}")
    rows = {name: partition.state.sizes()[name] for name in (SEEN, REQUESTS)}
    assert rows == {SEEN: 10, REQUESTS: 10}
    partition.units.clear()
    partition.tick(NOON + timedelta(days=8))
    # Whether there is more, the next unit finds: the outbox of the handset, with ten that expire.
    assert partition.units == [4, 4, 4, 4, 4, 11]
    assert (partition.state.sizes()[SEEN], partition.state.sizes()[REQUESTS]) == (0, 0)


def test_a_decision_is_of_the_partitions_time_where_its_record_is_older(partition):
    partition.tick(NOON + timedelta(hours=2))
    partition.request("r1")
    (command,) = partition.written(topics.MT_COMMAND)
    assert command.at == NOON + timedelta(hours=2)


def test_a_stop_is_confirmed_by_the_tick_at_which_it_is_due(partition):
    partition.raw("STOP")
    partition.tick(NOON + timedelta(hours=5, minutes=44))
    assert partition.written(topics.MT_COMMAND) == []
    partition.tick(NOON + timedelta(hours=5, minutes=45))
    partition.tick(NOON + timedelta(hours=5, minutes=50))
    assert [c.purpose for c in partition.written(topics.MT_COMMAND)] == ["confirmation"]


def test_an_order_is_carried_out_once_however_often_it_comes(partition):
    def order(action):
        request = ConsentRequest(
            request_id="o1",
            handset=HANDSET,
            number=NUMBER,
            action=action,
            actor="eve",
            reason="a letter",
            requested_at=NOON,
        )
        partition.take(topics.CONSENT_REQUEST, single_object.encode(request), HANDSET.encode())

    for action in ("stop", "stop", "open"):
        order(action)
    assert [c.state for c in partition.written(topics.CONSENT_CHANGE)] == ["stopped"]


def test_a_tick_with_nothing_due_writes_nothing(partition):
    partition.raw("hello")
    work = UnitOfWork(state=partition.state, partition=0, changelog="changelog")
    record = SimpleNamespace(
        topic=topics.CLOCK,
        value=single_object.encode(Clock(time=NOON, origin="worker")),
        offset=0,
        timestamp=1_772_366_400_000,
    )
    partition.agent.process_record(work, record)
    assert work.is_empty


def test_an_unreadable_record_is_kept_whole_and_the_next_is_taken(partition):
    partition.take(topics.MO_RAW, b"no avro", b"key")
    partition.raw("hello")
    (letter,) = partition.written(topics.DEAD_LETTER)
    assert (letter.octets, letter.key, letter.offset) == (b"no avro", b"key", 0)
    assert (letter.stage, letter.reason) == ("normalise", "unreadable-record")
    assert len(partition.written(topics.MO_MESSAGE)) == 1


@pytest.mark.parametrize("topic", readers.READ_BY[readers.CONVERSATION])
def test_what_others_write_wrong_stops_nobody(partition, topic):
    for _ in range(3 * UNREADABLE_IN_A_ROW):
        partition.take(topic, b"no avro")
        partition.take(topic, single_object.encode(NUMBERS)[:40])
    assert len(partition.written(topics.DEAD_LETTER)) == 6 * UNREADABLE_IN_A_ROW


def test_ten_rows_of_our_own_that_cannot_be_read_are_a_wrong_deploy(partition):
    for number in range(UNREADABLE_IN_A_ROW):
        partition.state.tables[CONSENTS].put(HANDSET.encode(), b"\xc1 of another version")
        record = SimpleNamespace(
            topic=topics.MT_REQUEST,
            partition=partition.number,
            offset=number,
            timestamp=1_772_366_400_000,
            key=b"",
            headers=(),
            value=single_object.encode(
                MtRequest(request_id=f"r{number}", to=HANDSET, text="x", requested_at=NOON)
            ),
        )
        work = UnitOfWork(state=partition.state, partition=partition.number, changelog="c")
        with pytest.raises(msgspec.MsgspecError) as raised:
            partition.agent.process_record(work, record)
        if number < UNREADABLE_IN_A_ROW - 1:
            partition.agent.refuse(work, record, raised.value)
        else:
            with pytest.raises(WrongDeploy):
                partition.agent.refuse(work, record, raised.value)


def test_a_header_without_a_value_is_kept_as_an_empty_one(partition):
    partition.take(topics.MT_REQUEST, b"no avro", headers=(("trace", None),))
    (letter,) = partition.written(topics.DEAD_LETTER)
    assert [(header.name, header.value) for header in letter.headers] == [("trace", b"")]


def test_a_record_of_another_kind_does_not_belong(partition):
    partition.take(topics.MO_RAW, single_object.encode(Clock(time=NOON, origin="worker")))
    (letter,) = partition.written(topics.DEAD_LETTER)
    assert letter.words == "a Clock does not belong in mo-raw"


def test_a_replay_gives_the_same_octets():
    def played() -> list[tuple[str, int, bytes | None, bytes]]:
        partition = Partition()
        partition.take(topics.NUMBERS, single_object.encode(NUMBERS))
        for n, text in enumerate(("hello", "STOP", "go on", "please do not stop", "QUIT")):
            partition.raw(text, at=NOON + timedelta(minutes=n), mo_msg_id=str(n))
            partition.request(f"r{n}", f"answer {n}")
        for minutes in range(0, 400, 5):
            partition.tick(NOON + timedelta(minutes=minutes))
        return partition.outputs

    first = played()
    assert first == played()
    assert {name for name, *_ in first} >= {topics.CONSENT_CHANGE, topics.MT_COMMAND}


def test_no_handset_is_logged(partition, caplog):
    caplog.set_level("DEBUG")
    partition.raw("STOP")
    partition.request("r1")
    assert HANDSET not in json.dumps([record.getMessage() for record in caplog.records])
    assert partition.state.sizes()[CONSENTS] == 1


#: A partition knows the requests of its own handsets alone.
OF_ONE_HANDSET = [
    pair for pair in PAIRS if len({address_from_text(body["to"]) for body in pair.values[:2]}) == 1
]


@pytest.mark.parametrize(("first", "second", "is_same"), OF_ONE_HANDSET)
def test_one_id_for_two_requests_is_rejected_and_for_the_same_passed_over(first, second, is_same):
    handset = address_from_text(first["to"])
    partition = Partition(handset)
    for body in (first, second):
        asked = asked_from_json(json.dumps(body).encode())
        request = MtRequest(
            request_id="k",
            to=asked.to,
            text=asked.text,
            sender_id=asked.sender_id,
            keyword=asked.keyword,
            api_id=asked.api_id,
            confirms_opt_out=asked.confirms_opt_out,
            requested_at=NOON,
            not_after=asked.not_after,
        )
        partition.take(topics.MT_REQUEST, single_object.encode(request), handset.encode())
    assert len(partition.written(topics.MT_COMMAND)) == 1
    rules = [rejection.rule for rejection in partition.written(topics.MT_REJECTION)]
    assert bool(rules) is not is_same
