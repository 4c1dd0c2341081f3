"""One dead letter with its octets, and whether it can be sent through again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.records import DeadLetter, Header
from pipeline.store.story.again import Again, CannotRetry, again_from_letter, predecessor_of

if TYPE_CHECKING:
    from pipeline.store.query.questions import Questions
    from pipeline.wire.status import StatusReport

_LETTER: Final = """\
SELECT dead_letter_id, topic, partition, offset, hex(key) AS key,
    arrayMap(header -> (header.name, hex(header.value)), headers) AS headers, hex(octets) AS octets,
    source, stage, reason, words, at, whole_length, whole_sha256 FROM twoway.dead_letter AS letter
WHERE dead_letter_id = {id:String} LIMIT 1"""
_RETRIES: Final = """\
SELECT at, actor, topic, reason, words FROM twoway.dead_letter_retry
WHERE dead_letter_id = {id:String} ORDER BY at"""
_HANDSET: Final = """SELECT handset FROM
(
    SELECT handset FROM twoway.mt_command WHERE command_id = {command_id:String}
    UNION ALL
    SELECT handset FROM twoway.mt_state
    WHERE {gateway_id:String} != '' AND has(gateway_message_ids, {gateway_id:String})
)
WHERE handset != '' LIMIT 1"""


class LetterStory(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter, its retries, and what a retry would do: a record, or why there can be none."""

    letter: DeadLetter
    retries: list[dict[str, Any]]
    predecessor: str
    again: Again | None
    cannot: str = ""


class LetterStories:
    """Reads dead letters."""

    def __init__(self, questions: Questions, *, alphabet: str) -> None:
        """`alphabet` is what SMPP's data_coding 0 means."""
        self._questions = questions
        self._alphabet = alphabet

    async def story_of(self, id: str) -> LetterStory | None:
        """What is known of a letter; None where there is none."""
        found = await self._questions.rows(_LETTER, {"id": id})
        if not found:
            return None
        letter = _letter_from_row(found[0])
        retries = await self._questions.rows(_RETRIES, {"id": id})
        again, cannot = None, ""
        try:
            asked: list[StatusReport] = []
            again = self._again(letter, asked, "")
            if asked:  # a status that names no handset: its command does
                named = {
                    "command_id": asked[0].command_id,
                    "gateway_id": asked[0].gateway_message_id,
                }
                rows = await self._questions.rows(_HANDSET, named)
                again = self._again(letter, asked, rows[0]["handset"] if rows else "")
        except CannotRetry as error:
            cannot = str(error)
        if retries:
            cannot = f"it was retried by {retries[0]['actor']}"
        return LetterStory(
            letter=letter,
            retries=retries,
            predecessor=predecessor_of(letter),
            again=again,
            cannot=cannot,
        )

    def _again(self, letter: DeadLetter, asked: list[StatusReport], handset: str) -> Again:
        def handset_of(report: StatusReport) -> str:
            asked.append(report)
            return handset

        return again_from_letter(letter, alphabet=self._alphabet, handset_of=handset_of)


def _letter_from_row(row: dict[str, Any]) -> DeadLetter:
    headers = [Header(name=name, value=bytes.fromhex(value)) for name, value in row["headers"]]
    held = {
        "headers": headers,
        "key": None if row["key"] is None else bytes.fromhex(row["key"]),
        "octets": bytes.fromhex(row["octets"]),
    }
    return DeadLetter(**(row | held))
