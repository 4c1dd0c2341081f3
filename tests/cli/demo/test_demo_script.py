"""What the demo says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.cli.demo import conversation as said
from pipeline.cli.demo.scene import condition
from pipeline.directory.directory import Directory, numbers_from_toml
from pipeline.gateway.pushing.texting import parts_of
from pipeline.gateway.settings import API_IDS


def test_the_long_text_has_three_parts_and_needs_utf_16() -> None:
    parts = parts_of(said.ARABIC)
    assert [part.charset for part in parts] == ["UTF-16BE"] * 3
    assert b"".join(part.octets for part in parts).decode("utf-16-be") == said.ARABIC


def test_there_is_a_reply_by_each_way_out() -> None:
    assert list(said.REPLIES) == list(API_IDS)
    assert len(set(said.REPLIES.values())) == len(said.REPLIES)


def test_the_first_message_needs_iso_8859_1() -> None:
    assert not said.ENGLISH.isascii()
    assert said.ENGLISH.encode("iso-8859-1").decode("iso-8859-1") == said.ENGLISH


def test_the_directory_of_the_demo_is_right() -> None:
    numbers = numbers_from_toml(
        said.NUMBERS_TOML, origin="demo", loaded_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert Directory(numbers).find(said.DEMO_NUMBER) is not None
    assert [reply.text for reply in numbers.numbers[0].custom_replies] == [said.HELP_REPLY]


def test_the_number_is_none_of_the_handsets() -> None:
    assert int(said.DEMO_NUMBER) > said.FIRST_HANDSET + said.HANDSETS


@pytest.mark.parametrize("value", ["x' OR '1'='1", "", "a b", "é", "x\n"])
def test_what_would_need_escaping_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="escaping"):
        condition(handset=value)


def test_conditions_are_joined() -> None:
    assert condition(handset="44", rule="stop-word") == "handset = '44' AND rule = 'stop-word'"
