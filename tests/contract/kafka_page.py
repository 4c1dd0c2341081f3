"""The table at the end of `docs/kafka.md`: what each process may do at Kafka."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pipeline.kafka.principals import PERMISSIONS, principal_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.kafka.principals import Permission

WHO: Final = {
    "twoway": "`twoway`, the commands",
    "topics": "`python -m deploy.create_topics`",
    "reader": "programs of others",
}
HEAD: Final = "| process | user | may |\n|---|---|---|\n"


def with_permissions(page: str) -> str:
    """The page with the table of permissions, which is its end, as the principals say."""
    rows = [
        f"| {WHO.get(process, f'`twoway {process}`')} | `{principal_of(process)}` | {_may(all_)} |"
        for process, all_ in PERMISSIONS.items()
    ]
    return page[: page.index(HEAD)] + HEAD + "\n".join(rows) + "\n"


def _may(permissions: Iterable[Permission]) -> str:
    return "<br>".join(_lines(permissions))


def _lines(permissions: Iterable[Permission]) -> Iterator[str]:
    """The permissions, those together that differ only in the name."""
    together: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for each in permissions:
        name = f"`{each.name}…`" if each.is_prefix else f"`{each.name}`"
        together[each.operation, each.kind, each.is_denied].append(name)
    for (operation, kind, is_denied), names in together.items():
        what = kind if len(names) == 1 else f"{kind}s"
        yield f"{'not ' if is_denied else ''}{operation}: {what} {', '.join(names)}"
