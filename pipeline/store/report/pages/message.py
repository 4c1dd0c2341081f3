"""What one message's page shows: its parts and octets, and every step from receipt to status."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.store.report.lists.filters import words_for_clickhouse
from pipeline.store.report.lists.lines import LINE_COLUMNS, TABLE, LineReader
from pipeline.store.story.asking import answered_later
from pipeline.store.story.command import MtHistory, asking_history
from pipeline.store.story.command_words import how_it_stands, steps_of_mt

if TYPE_CHECKING:
    from pipeline.store.query.questions import Questions

_LINE: Final = f"""\
SELECT {LINE_COLUMNS} FROM {TABLE}
WHERE id = {{id:String}} AND {{}} LIMIT 1 BY id"""  # noqa: S608  names of ours
_AT: Final = "at = {at:DateTime64(3, 'UTC')}"
_BY_KEY: Final = "key = MD5({id:String})"
_MESSAGE: Final = """\
SELECT message_id, charset, hex(octets) AS octets, mo_msg_ids, part_ids, gateway_time,
    received_at, parts_total, parts_missing, complete, lossy, flags, source, network_id, written_at
FROM twoway.mo_message WHERE handset = {handset:String} AND message_id = {id:String}
AND number = {number:String} AND gateway_time = {at:DateTime64(3, 'UTC')}"""
_PARTS: Final = """\
SELECT part_id, mo_msg_id, source, gateway_time, received_at, charset, charset_given,
    hex(octets) AS octets, hex(udh) AS udh,
    reference, part_number, parts_total, network_id, flags, written_at, raw_partition, raw_offset
FROM twoway.mo_part WHERE handset = {handset:String} AND part_id IN {parts:Array(String)}
ORDER BY part_number, received_at"""
_RAW: Final = """\
SELECT source, method, content_type, hex(query) AS query, hex(octets) AS octets,
    received_at, written_at, kafka_partition, kafka_offset
FROM twoway.mo_raw WHERE handset = {handset:String}
AND (kafka_partition, kafka_offset) IN
    (SELECT raw_partition, raw_offset FROM twoway.mo_part
     WHERE handset = {handset:String} AND part_id IN {parts:Array(String)})
ORDER BY kafka_offset"""
_CHANGES: Final = """\
SELECT at, recorded_at, scope_kind, scope, previous_state, previous_gateway_state, state,
    gateway_state, rule FROM twoway.consent_change
WHERE handset = {handset:String} AND mo_message_id = {id:String}
ORDER BY recorded_at, kafka_offset"""
_ANSWERS: Final = """\
SELECT at, command_id AS id, purpose, text FROM twoway.mt_command
WHERE handset = {handset:String} AND mo_message_id = {id:String} ORDER BY at"""
_DECISIONS: Final = """\
SELECT requested_at AS at, action, actor, reason FROM twoway.consent_request
WHERE mo_message_id = {id:String} AND action IN ('accept', 'dismiss')
ORDER BY requested_at, kafka_offset"""


class StoryStep(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to the message."""

    at: datetime
    words: str


class MessageStory(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one line."""

    line: dict[str, Any]
    steps: list[StoryStep]
    message: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    raws: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    decisions: list[dict[str, Any]] = []
    history: MtHistory | None = None
    stands: str = ""


class MessageStories:
    """Reads what is known of messages."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._lines = LineReader(questions)

    async def story_of(self, id: str, at: datetime | None) -> MessageStory | None:
        """What is known of the line with this id; found at once where its time is given."""
        given: dict[str, Any] = {"id": id}
        if at is not None:
            given["at"] = words_for_clickhouse(at)
        found = await self._questions.rows(_LINE.replace("{}", _AT if at else _BY_KEY), given)
        if not found:
            return None
        (line,) = await self._lines.looked_up(found[:1])
        return await (self._in(line) if line["record"] == "mo-message" else self._out(line))

    async def _out(self, line: dict[str, Any]) -> MessageStory:
        name = line["command_id"] or line["request_id"] or line["id"]
        history = await answered_later(
            asking_history(name, whose=line["handset"]), self._questions.rows
        )
        steps = [StoryStep(at=at, words=words) for at, words in steps_of_mt(history)]
        return MessageStory(line=line, steps=steps, history=history, stands=how_it_stands(history))

    async def _in(self, line: dict[str, Any]) -> MessageStory:
        given = {
            "handset": line["handset"],
            "id": line["id"],
            "number": line["number"],
            "at": words_for_clickhouse(line["at"]),
        }
        ask = self._questions.rows
        (message, *_) = await ask(_MESSAGE, given) or [{}]
        named = given | {"parts": message.get("part_ids", [])}
        parts = await ask(_PARTS, named)
        raws = await ask(_RAW, named)
        changes = await ask(_CHANGES, given)
        answers = await ask(_ANSWERS, given)
        decisions = await ask(_DECISIONS, given)
        return MessageStory(
            line=line,
            message=message,
            parts=parts,
            raws=raws,
            changes=changes,
            answers=answers,
            decisions=decisions,
            steps=_steps_in(line, message, parts, changes, answers, decisions),
        )


def _steps_in(
    line: dict[str, Any],
    message: dict[str, Any],
    parts: list[dict[str, Any]],
    changes: list[dict[str, Any]],
    answers: list[dict[str, Any]],
    decisions: list[dict[str, Any]],
) -> list[StoryStep]:
    """From the gateway's time to what came of it, oldest first."""
    steps: list[StoryStep] = []
    for part in parts:
        name = (
            f"part {part['part_number']} of {part['parts_total']}" if part["parts_total"] else "it"
        )
        steps += [
            StoryStep(at=part["gateway_time"], words=f"the gateway says it had {name}"),
            StoryStep(at=part["received_at"], words=f"received {name} by {part['source']}"),
            StoryStep(at=part["written_at"], words=f"wrote {name} to Kafka as a part"),
        ]
    if message:
        state = "whole" if line["complete"] else "without all its parts"
        steps.append(
            StoryStep(at=message["written_at"], words=f"released to the application, {state}")
        )
    steps += [
        StoryStep(
            at=row["recorded_at"],
            words=f"consent of {row['scope_kind']} {row['scope']}: ours {row['previous_state']} to"
            f" {row['state']}, the gateway's {row['previous_gateway_state']} to"
            f" {row['gateway_state']} (rule {row['rule']})",
        )
        for row in changes
    ]
    steps += [
        StoryStep(
            at=row["at"], words=f"reviewed: {row['action']} by {row['actor']}: {row['reason']}"
        )
        for row in decisions
    ]
    steps += [StoryStep(at=row["at"], words=f"answered by {row['purpose']}") for row in answers]
    return sorted(steps, key=lambda step: step.at)
