"""The columns of lists: a page, an export and a live update show a list by them alone."""

from __future__ import annotations

from typing import Final, NamedTuple


class Column(NamedTuple):
    """`kind` says how a value is shown; a column `aside` is in exports, and on no page."""

    name: str
    kind: str = "plain"  # time, handset, number, text, tag, words, flags, count, id, yes, day
    title: str = ""
    aside: bool = False

    @property
    def heading(self) -> str:
        """What stands above the column on a page."""
        return self.title or self.name.replace("_", " ")


AT: Final = Column("at", "time", "time")
HANDSET: Final = Column("handset", "handset")
NUMBER: Final = Column("number", "number")
TEXT: Final = Column("text", "text")
#: Those of a message, in or out. On a page what became of it is one column.
OF_LINES: Final = (
    AT,
    Column("direction", "direction"),
    HANDSET,
    NUMBER,
    TEXT,
    Column("fate", "fate", "what became of it"),
    *(
        Column(name, kind, aside=True)
        for name, kind in (
            ("record", "plain"), ("state", "tag"), ("code", "plain"), ("words", "words"),
            ("charge", "plain"), ("rule", "tag"), ("detail", "words"), ("purpose", "plain"),
            ("flags", "flags"), ("complete", "yes"), ("lossy", "yes"), ("parts", "count"),
            ("parts_missing", "flags"), ("way", "plain"), ("encoding", "plain"),
            ("keyword", "plain"), ("api_id", "plain"), ("account", "plain"),
            ("request_id", "id"), ("command_id", "id"), ("id", "id"),
        )
    ),
)  # fmt: skip


def named(*columns: str | Column) -> tuple[Column, ...]:
    """Columns by their names, where the name says how it is shown."""
    return tuple(
        each if isinstance(each, Column) else _KNOWN.get(each, Column(each)) for each in columns
    )


_KNOWN: Final = {
    column.name: column
    for column in (
        AT, HANDSET, NUMBER, TEXT,
        Column("latest", "time"), Column("recorded_at", "time", "known since"),
        Column("retried_at", "time", "retried"), Column("day", "day"),
        Column("scope_kind"), Column("scope", "number"), Column("state", "tag", "ours"),
        Column("gateway_state", "tag", "the gateway's"), Column("rule", "tag"),
        Column("reason", "tag"), Column("words", "words"), Column("actor"),
        Column("received", "count", "in"), Column("handsets", "count"),
        Column("sent", "count"), Column("decided", "count", "let pass"),
        Column("refused", "count"),
    )
}  # fmt: skip
