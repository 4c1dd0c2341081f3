"""One rehearsal: an installation is saved, restored under another home, and asked the same."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.end_to_end.outside import Outside
from tests.support.here import run_here
from tests.support.migrated import migrated
from tests.support.rented_numbers import ANN, NUMBERS
from tests.support.running import RunningStack, run_cli

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE: Final = Path(__file__).parents[2] / "docs" / "backup.md"
PARTITIONS: Final = 2
ACCOUNT: Final = """
[[account]]
name = "main"
mode = "book"
mo_price = "1/3"
"""
STOPPED, TALKS, FORGOTTEN = "447911000001", "447911000002", "447911000003"
END_SECONDS: Final = 60
COMMAND_SECONDS: Final = 3_600.0
QUESTIONS: Final = (
    "SELECT * FROM two_way ORDER BY ALL",
    "SELECT * FROM consent_change ORDER BY ALL",
    "SELECT * FROM mo_raw ORDER BY ALL",
    "SELECT * FROM dead_letter ORDER BY ALL",
    "SELECT * FROM erasure ORDER BY ALL",
    "SELECT * FROM account_entry ORDER BY ALL",
    "SELECT * FROM mt_now ORDER BY ALL",
    "SELECT * EXCEPT (stored_at) FROM conversation_line ORDER BY ALL",
    "SELECT part_id, mo_raw.query FROM mo_part JOIN mo_raw"
    " ON raw_partition = mo_raw.kafka_partition AND raw_offset = mo_raw.kafka_offset ORDER BY ALL",
)
COUNTED: Final = ("mo_part", "mo_message", "consent_change", "mt_command", "account_entry")


class Differs(AssertionError):
    """The restored installation says something else."""


def rehearse(
    folder: Path,
    *,
    load: Callable[[RunningStack], None],
    say: Callable[[str], None],
    partitions: int = PARTITIONS,
) -> None:
    """Play a conversation and `load`, back up, restore, compare. Raises `Differs`.

    `partitions`: how many the new installation has, a multiple of `PARTITIONS`.
    """
    old = RunningStack(folder / "old", settings={"partitions": str(PARTITIONS)})
    new = RunningStack(folder / "new", settings={"partitions": str(partitions)})
    try:
        migrated(old.home)
        (old.home / "numbers.toml").write_text(NUMBERS + ACCOUNT)
        old.start()
        outside = Outside(old)
        repeated = play(outside)
        load(old)
        settled(outside)
        before, counted = answers(outside), counts(outside)
        refused = old.cli("backup", str(folder / "refused"), check=False)
        expect(refused.returncode == 1, "a running stack is not saved")
        expect("is held by `twoway up`" in refused.stderr, refused.stderr)
        outside.http.close()
        old.stop(within_seconds=END_SECONDS)
        _move(old, new, folder, partitions=partitions, say=say)
        new.start()
        outside = Outside(new)
        for question, answer in answers(outside).items():
            expect(answer == before[question], f"{question}: {answer} is not {before[question]}")
        for callback in repeated:
            outside.deliver(callback)
        for handset in (STOPPED, FORGOTTEN):
            decided = outside.decided(outside.ask_mt(to=handset, text="still no"))
            expect(decided["state"] == "rejection", f"{handset} is stopped: {decided}")
        settled(outside)
        expect(counts(outside) == counted, f"{counts(outside)} is not {counted}")
        outside.text(TALKS, "goes on")
        new_words = "SELECT text FROM mo_message WHERE text = 'goes on'"
        outside.wait(lambda: outside.sql(new_words) or None, "a new message")
        outside.http.close()
        new.stop(within_seconds=END_SECONDS)
    finally:
        for each in (old, new):
            each.kill()


def _move(
    old: RunningStack,
    new: RunningStack,
    folder: Path,
    *,
    partitions: int,
    say: Callable[[str], None],
) -> None:
    began = time.monotonic()
    saved = run_cli(
        *command_on_page("backup", folder), home=old.home, timeout_seconds=COMMAND_SECONDS
    )
    say(f"saved in {time.monotonic() - began:.1f} s")
    say(saved.stdout)
    began = time.monotonic()
    done = run_cli(
        *command_on_page("restore", folder),
        *(() if partitions == PARTITIONS else ("--partitions", str(partitions))),
        home=new.home,
        timeout_seconds=COMMAND_SECONDS,
    )
    say(f"restored in {time.monotonic() - began:.1f} s")
    if partitions == PARTITIONS:
        expect(done.stdout == saved.stdout, f"restored: {done.stdout}")


def command_on_page(name: str, folder: Path) -> list[str]:
    """The words of a command as docs/backup.md has it, with a folder of ours in place of /srv."""
    found = re.search(rf"^ *twoway ({name} .*)$", PAGE.read_text(), re.MULTILINE)
    assert found is not None
    return shlex.split(found[1].replace("/srv/", f"{folder}/"))


def play(outside: Outside) -> list[Any]:
    """A conversation with all that a restore has to bring back; returns what may be repeated."""
    hello = outside.text(TALKS, "hello")
    stop = outside.text(STOPPED, "STOP")
    outside.text(FORGOTTEN, "STOP")
    outside.rows("consent_change", STOPPED)
    outside.rows("consent_change", FORGOTTEN)
    sent = outside.decided(outside.ask_mt(to=TALKS, text="hi"))
    refused = outside.decided(outside.ask_mt(to=STOPPED, text="no"))
    expect((sent["state"], refused["state"]) == ("command", "rejection"), "a STOP counts")
    nobody = outside.http.get(f"{outside.ingest}/mo/http?api_id=12345&to={ANN}&text=nobody")
    expect(nobody.status_code == 400, nobody.text)
    letters = outside.wait(
        lambda: outside.sql("SELECT dead_letter_id FROM dead_letter") or None, "a dead letter"
    )
    outside.running.cli("dead-letter", "retry", letters[0]["dead_letter_id"])
    after = outside.text(TALKS, "after the retry")
    outside.running.cli("forget", FORGOTTEN, "--reason", "Asked by letter.")
    return [hello, stop, after]


def settled(outside: Outside) -> None:
    """Wait until worker and store have read everything."""

    def is_settled() -> bool | None:
        found = json.dumps(json.loads(asked(outside, "status", "--json")))
        lags = [int(lag) for lag in re.findall(r'"(?:conversation|store)_lag": ?(\d+)', found)]
        return True if lags and not any(lags) else None

    outside.wait(is_settled, "everything is read")


def asked(outside: Outside, *words: str) -> str:
    """What a command that asks prints. It runs in this process, which takes less time."""
    done = run_here(*words, home=outside.running.home, check=False)
    expect(not done.returncode, f"{words} ended with {done.returncode}")
    return done.stdout


def answers(outside: Outside) -> dict[str, Any]:
    """What the installation says to each question."""
    said: dict[str, Any] = {query: outside.sql(query) for query in QUESTIONS}
    for handset in (STOPPED, TALKS, FORGOTTEN):
        said[f"why {handset}"] = asked(outside, "why", handset, ANN)
    said["account show"] = asked(outside, "account", "show")
    return said


def counts(outside: Outside) -> dict[str, int]:
    """How many messages, changes, commands and entries there are."""
    return {view: outside.sql(f"SELECT count() AS n FROM {view}")[0]["n"] for view in COUNTED}


def expect(holds: bool, words: str) -> None:
    """Raise `Differs` with these words unless it holds."""
    if not holds:
        raise Differs(words)
