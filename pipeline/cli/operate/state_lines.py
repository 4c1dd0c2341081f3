"""What `status` shows, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.cli.operate.path_states import PATH_COLUMNS
from pipeline.cli.terminal.table import lines_of_table
from pipeline.records.plain import text_from_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.cli.operate.pipeline_state import PipelineState


def lines_of_state(state: PipelineState) -> Iterator[str]:
    """Each line, without its end."""
    yield f"pipeline time  {text_from_time(state.time)}"
    yield ""
    if state.partitions is None:
        yield "partitions     not known: the broker does not answer"
    else:
        yield from lines_of_table(
            ["partition", "to process", "to store", "time", "oldest confirmation due"],
            [
                [
                    str(partition["partition"]),
                    _records(partition["conversation_lag"], at_most=partition["at_most"]),
                    _records(partition["store_lag"], at_most=partition["at_most"]),
                    text_from_time(partition["time"]) if partition["time"] else "no tick seen",
                    {None: "not known", "": "none"}.get(
                        partition["oldest_confirmation_due"], partition["oldest_confirmation_due"]
                    ),
                ]
                for partition in state.partitions
            ],
        )
    yield ""
    yield from _section("last MO", state.last_mo, "none yet", ["number", "last_mo", "messages"])
    yield ""
    yield from _section(
        "dead letters", state.dead_letters, "none", ["stage", "reason", "letters", "last"]
    )
    yield ""
    yield from _section("open commands", state.commands, "none", ["state", "commands", "oldest"])
    yield ""
    yield from _section("reply paths", state.paths, "none", PATH_COLUMNS)
    yield ""
    yield from _section("groups", state.groups, "not known", ["name", "members", "state"])
    yield ""
    if not state.down:
        yield "down           nothing"
    for part, words in state.down.items():
        yield f"DOWN           {part}: {words}"
    for part, count in state.hangs.items():
        yield f"did not answer {part}: ended and started again {count} times"
    for trouble in state.troubles:
        yield f"TROUBLE        {trouble['process']}: {trouble['words']}"
    for words in state.warnings:
        yield f"WARNING        {words}"


def _records(count: int, *, at_most: bool) -> str:
    return f"at most {count}" if at_most and count else str(count)


def _section(
    title: str, found: list[dict[str, Any]] | None, none: str, names: list[str]
) -> Iterator[str]:
    """A section with rows of SQL, or with one line if there are none."""
    if not found:
        words = none if found is not None else "not known: the report does not answer"
        yield f"{title:<14} {words}"
        return
    yield title
    yield from lines_of_table(names, [[str(row[name]) for name in names] for row in found])
