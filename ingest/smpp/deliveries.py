"""Publishes a deliver_sm, and answers OK once Kafka has acknowledged it.

It also publishes which answers have reached the gateway; `deploy/decisions/0061` says why.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from ingest.common.refused import letter_from_refused
from ingest.smpp import metrics
from pipeline.avro.single_object import encode
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import Answered, MoRaw, Rejected, Source
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.wire.smpp.callback import (
    callback_from_deliver,
    deliver_from_pdu,
    delivery_key,
    is_receipt,
)
from pipeline.wire.smpp.pdu import Pdu, Status, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from ingest.publish.publisher import Publisher

MESSAGE: Final = "message"
RECEIPT: Final = "receipt"
UNREADABLE: Final = "unreadable"
DEFECT: Final = "defect"
#: The most answers that one record reports: 60 octets each, far below a batch.
ANSWERS_A_RECORD: Final = 2_000

AnswerRead = tuple[bytes, Answered]
"""An answer of ours, and the Kafka key of the delivery that it answers."""


class Deliveries:
    """Publishes the deliveries of one bind."""

    def __init__(self, *, publisher: Publisher, now: Callable[[], datetime], alphabet: str) -> None:
        self._publisher = publisher
        self._now = now
        self._alphabet = alphabet
        self._begin()

    def _begin(self) -> None:
        """Give the bind a new name, because a delivery under the old name may be sent again."""
        self._bind = secrets.token_hex(16)
        self._count = 0

    async def take(self, pdu: Pdu) -> tuple[Status, AnswerRead | None]:
        """Publish a delivery; returns the answer, and what to report once the answer arrived."""
        deliver = deliver_from_pdu(pdu)
        if isinstance(deliver, Rejected):
            return await self._refuse(pdu, deliver), None
        callback = callback_from_deliver(deliver, alphabet=self._alphabet)
        if isinstance(callback, Rejected):
            return await self._refuse(pdu, callback), None
        self._count += 1
        bind, count = self._bind, self._count
        raw = self._raw(pdu, bind=bind, delivery=count)
        kind = RECEIPT if is_receipt(deliver) else MESSAGE
        key = key_from_handset(address_from_text(callback.handset))
        if not await self._publisher.publish(MO_RAW, key=key, value=encode(raw)):
            if bind == self._bind:
                self._begin()
            metrics.DELIVERIES_ANSWERED.labels(kind, "again").inc()
            return Status.TRY_AGAIN, None
        metrics.DELIVERIES_ANSWERED.labels(kind, "ok").inc()
        metrics.LAST_TAKEN.set_to_current_time()
        if kind == RECEIPT:
            return Status.OK, None
        answered = Answered(key=delivery_key(callback), bind=bind, delivery=count)
        return Status.OK, (key, answered)

    def answer_to_defect(self) -> Status:
        """The answer to what met a defect: it may be in Kafka or not, and should come again."""
        self._begin()
        metrics.DELIVERIES_ANSWERED.labels(DEFECT, "again").inc()
        return Status.TRY_AGAIN

    def _raw(
        self, pdu: Pdu, *, bind: str, delivery: int = 0, answered: list[Answered] | None = None
    ) -> MoRaw:
        return MoRaw(
            source=Source.SMPP,
            received_at=self._now(),
            method="",
            content_type="",
            query=b"",
            octets=render(pdu),
            alphabet=self._alphabet,
            bind=bind,
            delivery=delivery,
            answered=answered or [],
        )

    async def _refuse(self, pdu: Pdu, rejected: Rejected) -> Status:
        """Publish a dead letter; the answer tells the gateway not to send the PDU again."""
        letter = letter_from_refused(
            rejected, octets=render(pdu), source=Source.SMPP, at=self._now()
        )
        kept = await self._publisher.publish(DEAD_LETTER, key=None, value=encode(letter))
        metrics.DELIVERIES_ANSWERED.labels(UNREADABLE, "refused" if kept else "again").inc()
        return Status.REFUSED if kept else Status.TRY_AGAIN

    async def reached(self, evidence: Pdu, answers: Iterable[AnswerRead]) -> list[AnswerRead]:
        """Publish that these answers have reached the gateway; returns those not published.

        `evidence` is the gateway's answer to a request that we sent after these answers.
        """
        groups: dict[int, list[AnswerRead]] = {}
        for key, answered in answers:
            partition = self._publisher.partition_of(MO_RAW, key)
            groups.setdefault(partition, []).append((key, answered))
        left: list[AnswerRead] = []
        for group in groups.values():
            for at in range(0, len(group), ANSWERS_A_RECORD):
                some = group[at : at + ANSWERS_A_RECORD]
                raw = self._raw(
                    evidence, bind=self._bind, answered=[answered for _, answered in some]
                )
                if not await self._publisher.publish(MO_RAW, key=some[0][0], value=encode(raw)):
                    left += some
        return left
