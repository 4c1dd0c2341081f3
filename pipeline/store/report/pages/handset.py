"""What a handset's page shows beside the conversation: consent with its causes, and what waits."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.store.story.asking import answered_later
from pipeline.store.story.consent import OPEN_STATE, Change, ScopeNow, asking_changes, scopes_now
from pipeline.store.story.consent_words import name_of_scope, ways_to_change
from pipeline.store.story.directory_now import asking_directory
from pipeline.store.story.erased import ErasureKnown, asking_anyone_erased, asking_erasures
from pipeline.suppression_key import SuppressionKeyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.directory.directory import Directory
    from pipeline.store.query.questions import Questions
    from pipeline.suppression_key import SuppressionKey

_WAITING: Final = """\
SELECT command.at AS at, command.command_id AS id, command.number AS number, text, purpose,
    not_after, parts, state, code, words, retry_at
FROM
(
    SELECT at, handset, command_id, toString(sender_id) AS number, text, purpose, parts, not_after
    FROM twoway.mt_command WHERE handset = {handset:String}
) AS command
LEFT JOIN
(
    SELECT command_id, state, code, words, retry_at FROM twoway.mt_now
    WHERE handset = {handset:String}
) AS now ON now.command_id = command.command_id
WHERE state IN ('waiting', 'permitted', 'unknown') OR (state = '' AND not_after > now())
ORDER BY at, id LIMIT 101"""

_TO_BE_HANDED_ON: Final = """\
SELECT decided_at AS at, path, kind, subject_id, toString(state) AS state, attempts, status, words,
    due_at FROM twoway.delivery_now
WHERE handset = {handset:String} AND state NOT IN ('delivered', 'given-up')
ORDER BY at, path LIMIT 101"""


class ScopeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A scope as it stands, and what would change it."""

    name: str
    state: str
    gateway_state: str
    since: datetime | None
    ways: list[str]
    is_kept: bool = False  # a stop that outlived an erasure


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the timeline: a change, or an erasure."""

    at: datetime
    known_at: datetime
    scope: str = ""
    change: Change | None = None
    erasure: ErasureKnown | None = None


class HandsetStory(msgspec.Struct, frozen=True, kw_only=True):
    """Consent and queue of one handset."""

    scopes: list[ScopeShown]
    turns: list[Turn]  # the newest first
    waiting: list[dict[str, Any]]
    handing_on: list[dict[str, Any]]
    doubt: str = ""  # why it is not known whether the handset was forgotten


class HandsetStories:
    """Reads what is known of handsets."""

    def __init__(
        self,
        questions: Questions,
        *,
        account: str,
        read_key: Callable[[], SuppressionKey | None] = lambda: None,
    ) -> None:
        self._questions = questions
        self._account = account
        self._read_key = read_key

    async def story_of(self, handset: str) -> HandsetStory:
        """What is known of a handset's consent, and which commands wait."""
        ask = self._questions.rows
        changes, directory, (erasures, doubt), waiting, handing_on = await asyncio.gather(
            answered_later(asking_changes(handset), ask),
            answered_later(asking_directory(self._account), ask),
            self._erasures(handset),
            ask(_WAITING, {"handset": handset}),
            ask(_TO_BE_HANDED_ON, {"handset": handset}),
        )
        turns = [
            Turn(
                at=change.at,
                known_at=change.recorded_at,
                scope=name_of_scope(change.key),
                change=change,
            )
            for change in changes
        ]
        turns += [
            Turn(at=each.erased_at, known_at=each.erased_at, erasure=each) for each in erasures
        ]
        return HandsetStory(
            scopes=list(_scopes(handset, changes, erasures, directory)),
            turns=sorted(turns, key=lambda turn: turn.known_at, reverse=True),
            waiting=waiting,
            handing_on=handing_on,
            doubt=doubt,
        )

    async def _erasures(self, handset: str) -> tuple[list[ErasureKnown], str]:
        ask = self._questions.rows
        if not await answered_later(asking_anyone_erased(), ask):
            return [], ""
        try:
            key = await asyncio.to_thread(self._read_key)
        except SuppressionKeyError as error:
            return [], str(error)
        if key is None:
            return [], (
                "handsets were forgotten, and without the suppression key it cannot be told whether"
                " this handset is one of them"
            )
        return await answered_later(asking_erasures(key.of(handset)), ask), ""


def _scopes(
    handset: str, changes: list[Change], erasures: list[ErasureKnown], directory: Directory
) -> Iterator[ScopeShown]:
    known = scopes_now(changes)
    for key, now in known.items():
        yield ScopeShown(
            name=name_of_scope(key),
            state=now.latest.state,
            gateway_state=now.latest.gateway_state,
            since=_since(now),
            ways=list(ways_to_change(handset, key, now, directory=directory)),
        )
    for stop in erasures[-1].kept if erasures else []:
        if (stop.scope_kind, stop.scope) not in known:
            yield ScopeShown(
                name=name_of_scope((stop.scope_kind, stop.scope)),
                state=stop.state,
                gateway_state=stop.gateway_state,
                since=stop.since,
                ways=["a message that re-enables, or an order, as if nothing had been erased"],
                is_kept=True,
            )


def _since(now: ScopeNow) -> datetime | None:
    """Since when the scope stands so: the later of its two sides."""
    found = [each.at for each in (now.ours_since, now.gateway_since) if each is not None]
    return max(found) if found else None


def is_open(scope: ScopeShown) -> bool:
    """Whether an MT passes the scope."""
    return (scope.state, scope.gateway_state) == (OPEN_STATE, OPEN_STATE)
