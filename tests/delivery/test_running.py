"""`twoway deliver` in a whole stack: the schedule on a clock that is advanced, and the commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.equipped import HANDED_ON

if TYPE_CHECKING:
    from tests.support.equipped import Equipped
    from tests.support.running import RunningStack

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]

HANDSET = "447900000003"


def listed(running: RunningStack) -> list[dict[str, Any]]:
    said = running.cli("delivery", "list", "--all", "--json").stdout
    return [json.loads(line) for line in said.splitlines()]


def test_a_dead_application_gets_eight_attempts_and_a_retry_once_it_is_well(
    equipped: Equipped,
) -> None:
    running, application, until = equipped.running, equipped.application, equipped.until
    equipped.text(HANDSET, HANDED_ON, "hello", msg_id="a1")
    until(lambda: len(application.got) == 1, "the first attempt")
    for attempt, minutes in enumerate((2, 4, 8, 16, 32, 64, 128), start=1):
        until(
            lambda at=attempt: [each["attempts"] for each in listed(running)] == [at],  # type: ignore[misc]
            f"attempt {attempt} is not known",
        )
        assert len(application.got) == attempt
        # Its time came when the result was taken, which is after the clock's last step.
        running.cli("clock", "advance", f"{minutes}m")
        until(
            lambda at=attempt: len(application.got) == at + 1,  # type: ignore[misc]
            f"after {minutes} minutes",
        )
    until(lambda: [e["state"] for e in listed(running)] == ["given-up"], "it is not given up")
    (row,) = listed(running)
    assert (row["attempts"], row["status"], row["path"]) == (8, "500", "crm")
    letters = running.cli("dead-letter", "list").stdout
    assert "delivery-given-up" in letters
    assert {each["from"] for each in application.got} == {HANDSET}
    assert {each["key"] for each in application.got} == {"1"}
    refused = running.cli("dead-letter", "retry", row["delivery_id"], check=False)
    assert "twoway delivery retry" in refused.stderr

    application.is_well = True
    running.cli("delivery", "retry", row["delivery_id"])
    until(lambda: len(application.got) == 9, "the retry")
    until(lambda: [e["state"] for e in listed(running)] == ["delivered"], "it is not delivered")
    again = running.cli("delivery", "retry", row["delivery_id"], check=False)
    assert again.returncode == 0, "its dead letter is still there, so it goes once more"
    until(lambda: len(application.got) == 10, "the second retry")
    shown = running.cli("delivery", "replay", "--since", "2020-01-01").stdout
    assert shown.startswith("1 messages would be")
    running.cli("delivery", "replay", "--since", "2020-01-01", "--yes")
    until(lambda: len(application.got) == 11, "the replay")
    assert len({each["moMsgId"] for each in application.got}) == 1
