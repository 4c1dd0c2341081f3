"""Who reads which topic, compared with `schemas/topics.toml` and with those who read."""

from __future__ import annotations

import pytest

from pipeline.conversation.agent import Conversation
from pipeline.kafka import topics
from pipeline.kafka.readers import CHANGELOGS, CONVERSATION, READ_BY, SENDER, STORE
from pipeline.kafka.topics import Topic
from pipeline.settings import Settings
from pipeline.store.decoding import KIND_OF

#: Nobody asks for them later: ticks, and asks whose answers are stored.
NOT_STORED = {topics.CLOCK, topics.MT_ASK}


def faults(known: dict[str, Topic], read_by: dict[str, tuple[str, ...]]) -> list[str]:
    """What does not fit between the topics there are and those that are read."""
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
    assert set(READ_BY) == {CONVERSATION, STORE, SENDER}
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


def test_the_store_takes_just_what_it_reads() -> None:
    assert list(KIND_OF) == list(READ_BY[STORE])
