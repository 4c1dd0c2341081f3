"""Who reads which topic, compared with `schemas/topics.toml` and with the readers themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pipeline.accounts.agent import AccountsAgent
from pipeline.accounts.balances import Balances
from pipeline.conversation.agent import Conversation
from pipeline.delivery.agent.agent import DeliveryAgent
from pipeline.delivery.agent.standings import Standings
from pipeline.kafka import topics
from pipeline.kafka.readers import (
    ACCOUNTS,
    CHANGELOGS,
    CONVERSATION,
    DELIVERY,
    NOTICE_MAIL,
    READ_BY,
    SENDER,
    SENT_AGAIN,
    STORE,
    TAILED,
    WRITTEN_BY,
)
from pipeline.kafka.topics import Topic
from pipeline.settings import Settings
from pipeline.store.decoding import KIND_OF

ROOT = Path(__file__).parents[2]
NAMES = {name for name, value in vars(topics).items() if name.isupper() and type(value) is str}
#: Nobody asks for them later: ticks, and asks whose answers are stored.
NOT_STORED = {topics.CLOCK, topics.MT_ASK}


def faults(known: dict[str, Topic], read_by: dict[str, tuple[str, ...]]) -> list[str]:
    """The differences between the topics that exist and the topics that are read."""
    read = {name for names in read_by.values() for name in names}
    found = [f"{name} is read, and there is no such topic" for name in read - set(known)]
    for name, topic in known.items():
        if not topic.record:
            if not topic.compacted or name not in CHANGELOGS:
                found.append(f"{name} has no record, and is no changelog")
            continue
        if name not in read_by[STORE] and name not in NOT_STORED:
            found.append(f"{name} is not stored")
        if name not in read:
            found.append(f"{name} is read by no group")
    return sorted(found)


def test_every_topic_is_read_and_every_topic_read_exists() -> None:
    assert faults(topics.topics(), READ_BY) == []
    assert set(READ_BY) == {CONVERSATION, STORE, SENDER, DELIVERY, ACCOUNTS, NOTICE_MAIL}
    assert all(len(set(names)) == len(names) for names in READ_BY.values())


@pytest.mark.parametrize(
    ("topic", "fault"),
    [
        pytest.param(
            Topic(name="new", record="new", key="handset", max_message_octets=1),
            ["new is not stored", "new is read by no group"],
            id="a topic of records that nobody reads",
        ),
        pytest.param(
            Topic(name="new", key="partition", max_message_octets=1, compacted=True),
            ["new has no record, and is no changelog"],
            id="a changelog that no agent has",
        ),
    ],
)
def test_a_new_topic_without_a_reader_is_found(topic: Topic, fault: list[str]) -> None:
    found = faults(topics.topics() | {topic.name: topic}, READ_BY)
    assert found == sorted(fault)


def test_a_topic_that_is_read_and_not_there_is_found() -> None:
    without = {name: topic for name, topic in topics.topics().items() if name != topics.MO_RAW}
    assert faults(without, READ_BY) == ["mo-raw is read, and there is no such topic"]


def test_the_agent_takes_just_what_it_reads() -> None:
    agent = Conversation(partition=0, settings=Settings(partitions=1))
    assert list(agent._take) == list(READ_BY[CONVERSATION])


def test_the_agent_of_deliveries_takes_just_what_it_reads() -> None:
    agent = DeliveryAgent(
        partition=0,
        settings=Settings(partitions=1),
        hand_over=lambda _: None,
        standings=Standings(),
    )
    assert list(agent._take) == list(READ_BY[DELIVERY])


def test_the_agent_of_accounts_takes_just_what_it_reads() -> None:
    agent = AccountsAgent(partition=0, settings=Settings(partitions=1), balances=Balances())
    assert list(agent._take) == list(READ_BY[ACCOUNTS])


def test_what_the_engine_reads_has_the_brokers_time() -> None:
    """Records are put in order by it, and a clock that is set back would hold them up."""
    read = {*READ_BY[CONVERSATION], *READ_BY[DELIVERY], *READ_BY[ACCOUNTS]}
    assert [name for name in sorted(read) if not topics.topics()[name].log_append_time] == []


def test_the_store_takes_just_what_it_reads() -> None:
    assert list(KIND_OF) == list(READ_BY[STORE])


def lists_of_topics(tree: ast.Module) -> list[int]:
    """The lines of constants that list two or more topics; a table by topic does not count."""
    found = []
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for each in ast.walk(node.value):
                if isinstance(each, ast.Tuple | ast.List | ast.Set):
                    named = {getattr(one, "attr", getattr(one, "id", "")) for one in each.elts}
                    if len(named & NAMES) > 1:
                        found.append(node.lineno)
    return found


def test_every_list_of_topics_is_beside_the_readers() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for folder in ("pipeline", "ingest", "deploy")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (lines := lists_of_topics(ast.parse(path.read_text())))
    }
    assert list(found) == ["pipeline/kafka/readers.py"]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        pytest.param("X = (topics.MO_RAW, topics.MT_REQUEST)", [1], id="of a module"),
        pytest.param("X: Final = frozenset({MO_RAW, MT_REQUEST})", [1], id="of names"),
        pytest.param("X = {topics.MO_RAW: 1, topics.MT_REQUEST: 2}", [], id="a table by topic"),
        pytest.param("def f():\n    return (MO_RAW, MT_REQUEST)", [], id="of one action"),
    ],
)
def test_a_list_of_topics_is_found(source: str, lines: list[int]) -> None:
    assert lists_of_topics(ast.parse(source)) == lines


def test_what_is_sent_again_or_followed_is_read() -> None:
    assert {*READ_BY[CONVERSATION], *READ_BY[ACCOUNTS]} >= SENT_AGAIN
    assert set(READ_BY[STORE]) >= set(TAILED)


#: The packages of each process that writes. What a process shares with others is in `publish`.
PACKAGES = {
    "ingest": "ingest/http",
    "smpp": "ingest/smpp",
    "ftp": "ingest/ftp",
    "worker": "pipeline/conversation",
    "sender": "pipeline/sender",
    "deliver": "pipeline/delivery",
    "accounts": "pipeline/accounts",
    "twoway": "pipeline/cli",
}
#: Sent by the topic of a record that is sent on, sent again or made for a refusal, and by a helper
#: that several processes share: no call names them.
NOT_NAMED = {
    "ftp": {topics.MO_RAW, topics.DEAD_LETTER},
    "worker": {
        topics.MT_REQUEST,
        topics.MT_RESULT,
        topics.MT_ASK,
        topics.CONSENT_REQUEST,
        topics.FORGET_REQUEST,
        topics.CONVERSATION_CHANGELOG,
    },
    "deliver": {topics.DELIVERY_CHANGELOG},
    "accounts": {topics.ACCOUNT_CHARGE, topics.ACCOUNT_CREDIT, topics.ACCOUNTS_CHANGELOG},
    "twoway": {topics.MO_RAW, topics.DEAD_LETTER},
}
SENDING = {"send", "_send", "publish", "Outgoing"}


def sent(tree: ast.Module) -> set[str]:
    """The topics that the calls of a module name as what they send to."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        given = node.args[:1] + [each.value for each in node.keywords if each.arg == "topic"]
        for each in given if name in SENDING else []:
            topic = getattr(each, "attr", getattr(each, "id", ""))
            if topic in NAMES:
                found.add(getattr(topics, topic))
    return found


@pytest.mark.parametrize("process", PACKAGES)
def test_a_process_writes_just_what_it_says(process: str) -> None:
    named = {
        topic
        for path in sorted((ROOT / PACKAGES[process]).rglob("*.py"))
        for topic in sent(ast.parse(path.read_text()))
    }
    assert named | NOT_NAMED.get(process, set()) == set(WRITTEN_BY[process])
    assert not named & NOT_NAMED.get(process, set())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("work.send(topics.MO_PART, key, value)", {topics.MO_PART}),
        ("publish(MO_RAW, key=k)", {topics.MO_RAW}),
        ("Outgoing(topic=topics.CLOCK, record=r)", {topics.CLOCK}),
        ("work.send(record.topic, key, value)", set()),
        ("read(topics.MO_RAW)", set()),
    ],
)
def test_what_a_call_sends_to_is_found(source: str, found: set[str]) -> None:
    assert sent(ast.parse(source)) == found
