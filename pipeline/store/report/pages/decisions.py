"""What a person decides on a page: reviews and retries, published as the commands publish them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro.single_object import encode
from pipeline.kafka import topics
from pipeline.kafka.login.options import serving_options
from pipeline.records import ConsentAction, ConsentRequest, DeadLetterRetry, Rejected
from pipeline.sms.msisdn import key_from_handset
from pipeline.stages.consent.operator import order_from_request
from pipeline.store.story.asking import answered_later
from pipeline.store.story.directory_now import asking_directory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.pages.letters import LetterStories

#: One for all who retry: a later one ends the transaction of an earlier one.
RETRY_TRANSACTION: Final = "twoway-dead-letter-retry"
_MESSAGE: Final = """\
SELECT handset, toString(lines.number) AS number, has(flags, 'review') AS flagged,
    received.now AS now
FROM twoway.conversation_line_rows AS lines,
    (SELECT greatest(now64(3, 'UTC'), max(at)) AS now FROM twoway.conversation_line_rows
     WHERE record = 'mo-message') AS received
WHERE key = MD5({id:String}) AND record = 'mo-message' LIMIT 1"""
_DECISION: Final = """\
SELECT action, actor, requested_at AS at FROM twoway.consent_request
WHERE mo_message_id = {id:String} AND action IN ('accept', 'dismiss')
ORDER BY requested_at, kafka_offset LIMIT 1"""
_ANSWER_MS: Final = 15_000


class NotDecided(ValueError):
    """The decision cannot be carried out; the words say why."""


class Decisions:
    """Publishes decisions; those of this process are known before ClickHouse has them."""

    def __init__(
        self, questions: Questions, letters: LetterStories, *, bootstrap: str, account: str
    ) -> None:
        self._questions = questions
        self._letters = letters
        self._bootstrap = bootstrap
        self._account = account
        self._one_at_a_time = asyncio.Lock()
        self.decided: set[str] = set()  # ids of messages and letters

    async def decide_review(self, id: str, *, action: str, actor: str, reason: str) -> None:
        """Count a message as a stop, or as none; raises `NotDecided`."""
        if action not in (ConsentAction.ACCEPT, ConsentAction.DISMISS):
            raise NotDecided("a review is accepted or dismissed")
        async with self._one_at_a_time:
            found = await self._questions.rows(_MESSAGE, {"id": id})
            if not found or not found[0]["flagged"]:
                raise NotDecided("there is no such message under review")
            decided = await self._questions.rows(_DECISION, {"id": id})
            if decided or id in self.decided:
                words = "it is decided already"
                if decided:
                    words += ": {action} by {actor}".format(**decided[0])
                raise NotDecided(words)
            request = ConsentRequest(
                request_id=f"review-{id}",  # one id for each message: the first decision counts
                handset=found[0]["handset"],
                number=found[0]["number"],
                action=action,
                mo_message_id=id,
                actor=actor,
                reason=reason,
                requested_at=max(datetime.now(UTC), found[0]["now"]),
            )
            directory = await answered_later(asking_directory(self._account), self._questions.rows)
            order = order_from_request(request, directory=directory)
            if isinstance(order, Rejected):
                raise NotDecided(f"the order cannot be carried out: {order.words}")
            async with self._producer() as producer:
                await producer.send_and_wait(
                    topics.CONSENT_REQUEST,
                    encode(request),
                    key=key_from_handset(request.handset),
                )
            self.decided.add(id)

    async def retry_letter(self, id: str, *, actor: str) -> str:
        """Send a dead letter through again, and say what was done; raises `NotDecided`."""
        async with self._one_at_a_time:
            story = await self._letters.story_of(id)
            if story is None:
                raise NotDecided("there is no such dead letter")
            if id in self.decided or story.again is None or story.cannot:
                raise NotDecided(f"it cannot be retried: {story.cannot or 'it was, just now'}")
            again, rejected = story.again, story.again.rejected
            retry = DeadLetterRetry(
                dead_letter_id=id,
                topic=again.topic,
                reason=rejected.reason if rejected else "",
                words=rejected.words if rejected else "",
                actor=actor,
                at=datetime.now(UTC),
            )
            async with self._producer(RETRY_TRANSACTION) as producer, producer.transaction():
                await producer.send(
                    again.topic,
                    again.octets,
                    key=again.key,
                    partition=again.partition,
                    headers=list(again.headers),
                )
                await producer.send(topics.DEAD_LETTER_RETRY, encode(retry))
            self.decided.add(id)
        if rejected:
            return f"refused again, {rejected.reason}: {rejected.words}"
        return f"sent to {again.topic} again"

    @asynccontextmanager
    async def _producer(self, transactional_id: str | None = None) -> AsyncIterator[Any]:
        """A producer for one decision: they are rare. Raises `NotDecided` where Kafka is away."""
        if not self._bootstrap:
            raise NotDecided("this report knows no broker, so nothing can be decided here")
        producer = AIOKafkaProducer(
            **serving_options(self._bootstrap),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=_ANSWER_MS,
            transactional_id=transactional_id,
        )
        try:
            await producer.start()
            try:
                yield producer
            finally:
                await producer.stop()
        except KafkaError as error:
            raise NotDecided(f"Kafka did not take it: {type(error).__name__}") from error
