"""What the stand-in reads of the product's own numbers.toml."""

from datetime import UTC, datetime

import pytest

from pipeline.directory.toml import numbers_from_toml
from pipeline.gateway.account.numbers import UnusableNumbers, with_numbers
from pipeline.gateway.settings import GatewaySettings

WHOLE = """
[[number]]
number = "447700900998"
kind = "vmn"
[number.custom_reply.STOP]
enabled = true
text = "Bye."
sent_by = "gateway"
[number.custom_reply.QUIT]
enabled = true
text = "Ours."
sent_by = "us"
[number.custom_reply.END]
enabled = false
sent_by = "gateway"

[[number]]
number = "88801"
kind = "short-code"
mt_billed = true
linked = "447700900998"

[[number]]
number = "88802"
kind = "shared-short-code"
keywords = ["FUN", "GAME"]

[[number]]
number = "88803"
kind = "short-code"
premium = true

[[number]]
first = "447700901000"
last = "447700901999"
kind = "tagged-range"
"""


def test_the_numbers_of_the_home_stand_beside_those_given(tmp_path):
    numbers_from_toml(WHOLE, origin="x", loaded_at=datetime.now(UTC))  # the product takes it too
    (tmp_path / "numbers.toml").write_text(WHOLE)
    found = with_numbers(GatewaySettings(home=tmp_path))
    assert found.numbers == ("447700900999", "447700900998")
    assert found.short_codes == ("88801", "88802", "88803")
    assert found.rented.keywords == {"88802": ("FUN", "GAME")}
    assert found.rented.premium == {"88803"}
    assert found.rented.linked == {"88801": "447700900998"}
    assert found.rented.ranges == (("447700901000", "447700901999"),)
    assert found.replies == {"447700900998": {"STOP": "Bye."}}


def test_without_the_file_nothing_changes(tmp_path):
    settings = GatewaySettings(home=tmp_path)
    assert with_numbers(settings) is settings


@pytest.mark.parametrize(
    "text",
    [
        "[[number]\n",
        'number = "1"\n',
        "number = 1\n",
        '[[number]]\nnumber = "1"\ncustom_reply = 1\n',
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, text):
    (tmp_path / "numbers.toml").write_text(text)
    with pytest.raises(UnusableNumbers, match=r"numbers\.toml: "):
        with_numbers(GatewaySettings(home=tmp_path))


async def test_a_reply_of_one_number_takes_the_place_of_those_of_all(play):
    replies = {"447700900999": {"STOP": "Bye."}}
    async with play(
        replies=replies, custom_replies={"STOP": "All."}, numbers=("447700900999", "447700900998")
    ) as played:
        for number in ("447700900999", "447700900998"):
            await played.gateway.text("447700900001", number, "STOP")
        texts = [event.text for event in played.gateway.world.events if event.way == "gateway"]
        assert texts == ["Bye.", "All."]
