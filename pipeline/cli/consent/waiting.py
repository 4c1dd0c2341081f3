"""Publishes an order about consent, waits for a worker, and says what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.cli.consent.orders import outgoing_from
from pipeline.cli.operate.carried_out import carry_out, refusal_in
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers, topics
from pipeline.records import ConsentChange
from pipeline.records.plain import text_from_time
from pipeline.store.story.consent_words import name_of_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.records import ConsentRequest

WORKERS_SECONDS: Final = 60


def changes_of(bootstrap: str, request: ConsentRequest) -> list[ConsentChange]:
    """The changes of the handset's consent, once a worker has carried the order out.

    Raises `CommandError` if the worker refused the order, or if no worker took it in
    `WORKERS_SECONDS`. In the second case the order stays in force.
    """
    done = carry_out(
        bootstrap,
        outgoing_from(request),
        group=readers.CONVERSATION,
        answers=topics.CONSENT_CHANGE,
        seconds=WORKERS_SECONDS,
        failure=f"{request.request_id} is ordered, and no worker has carried it out",
    )
    for value in done.written:
        refused = refusal_in(value, topic=done.topic, offset=done.offset)
        if refused is not None:
            raise CommandError(f"the worker refused the order: {refused}")
    return [
        each
        for each in done.written
        if isinstance(each, ConsentChange) and each.handset == request.handset
    ]


def lines_of_changes(changes: Iterable[ConsentChange]) -> Iterator[str]:
    """What holds now, scope by scope."""
    latest = {(change.scope_kind, change.scope): change for change in changes}
    for key, change in latest.items():
        yield (
            f"{name_of_scope(key)}: ours {change.state}, the gateway's {change.gateway_state},"
            f" since {text_from_time(change.at)}"
        )
    if not latest:
        yield "nothing changed, because the state was the same before: see `twoway why`"
