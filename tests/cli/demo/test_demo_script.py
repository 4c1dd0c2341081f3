"""What the demo says: legal parts, and a cut where the issue wants it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.cli.demo import conversation as said
from pipeline.cli.demo.scene import condition
from pipeline.directory.directory import Directory, numbers_from_toml
from pipeline.wire import soap
from tests.support.mo import callback


def test_the_parts_hold_the_text_and_the_first_ends_inside_the_emoji() -> None:
    parts = said.arabic_parts(reference=0xA7)
    assert [part.udh for part in parts] == ["050003a70301", "050003a70302", "050003a70303"]
    assert b"".join(part.octets for part in parts).decode("utf-16-be") == said.ARABIC
    assert max(len(part.octets) for part in parts) <= 134  # 3GPP TS 23.040: 140 octets with the UDH
    assert 0xD8 <= parts[0].octets[-2] <= 0xDB  # a high surrogate
    assert 0xDC <= parts[1].octets[0] <= 0xDF  # and its low one


def test_the_parts_arrive_out_of_order_and_one_twice() -> None:
    arrival = [*said.BY_SOAP, *said.BY_FORM, *said.BY_LOG]
    assert set(arrival) == {1, 2, 3}
    assert len(arrival) == 4
    assert arrival != sorted(arrival)


def test_of_the_parts_xml_holds_those_alone_that_it_is_given() -> None:
    parts = said.arabic_parts(reference=1)
    held = [
        part.number
        for part in parts
        if soap.render(callback(part.octets, charset="UTF-16BE", udh=part.udh)) is not None
    ]
    assert held == list(said.BY_SOAP)


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
