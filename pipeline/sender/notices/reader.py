"""Reads the notices of low balances, counts each, and has it mailed: at least once.

It runs beside the sending and never in its way: what fails here is tried again, and said.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.kafka import readers
from pipeline.kafka.login.options import serving_options
from pipeline.process.backoff import Backoff
from pipeline.process.log_guard import exception_in_words
from pipeline.records import AccountNotice
from pipeline.sender.metrics import NOTICE_FAILURES, NOTICE_MAILS
from pipeline.sender.notices.mail import mail_of_notice
from pipeline.sender.notices.post import mail_to_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka.structs import ConsumerRecord, TopicPartition

    from pipeline.sender.notices.mail import MailRoute

log = logging.getLogger("twoway.sender")

POLL_MS: Final = 1_000
BACKOFF_SECONDS: Final = (1.0, 60.0)
#: An older notice says nothing of today, and is not mailed.
OLDEST: Final = timedelta(days=7)
#: A mail may take so long: until then the group waits for this member.
LONGEST_MAIL: Final = timedelta(days=8)
STOP_SECONDS: Final = 10.0


async def read_notices(bootstrap: str, route: MailRoute | None) -> None:
    """Read until cancelled. Whatever fails, and were it a defect, begin anew after a while."""
    backoff = Backoff(*BACKOFF_SECONDS)
    while True:
        reading = asyncio.create_task(_read_once(bootstrap, route, succeeded=backoff.succeeded))
        try:
            await asyncio.wait([reading])
        finally:
            reading.cancel()
            await asyncio.wait([reading])  # it leaves the group
        # aiokafka may cancel what it was asked for, where a broker answers nonsense.
        error = None if reading.cancelled() else reading.exception()
        seconds = backoff.failed()
        words = exception_in_words(error) if error else "it was cancelled"
        log.warning("no notice is read, again in %g s: %s", seconds, words)
        await asyncio.sleep(seconds)


async def _read_once(
    bootstrap: str, route: MailRoute | None, *, succeeded: Callable[[], None]
) -> None:
    consumer = AIOKafkaConsumer(
        *readers.READ_BY[readers.NOTICE_MAIL],
        group_id=readers.NOTICE_MAIL,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_poll_records=1,
        max_poll_interval_ms=int(LONGEST_MAIL.total_seconds() * 1000),
        **serving_options(bootstrap),
    )
    try:
        await consumer.start()
        succeeded()
        while True:
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=1)
            for partition, records in found.items():
                for record in records:
                    await take(record, route)
                    await _commit(consumer, partition, record.offset + 1)
    finally:
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await consumer.stop()


async def _commit(consumer: Any, partition: TopicPartition, offset: int) -> None:
    await consumer.commit({partition: offset})


async def take(record: ConsumerRecord, route: MailRoute | None) -> None:
    """Count a notice, and have it mailed where somebody is named. A defect is said, and no more."""
    try:
        await _take(record, route)
    except Exception as error:
        NOTICE_MAILS.labels("failed").inc()
        log.error("a notice met a defect: %s", exception_in_words(error))


async def _take(record: ConsumerRecord, route: MailRoute | None) -> None:
    try:
        notice = single_object.decode(record.value or b"")
    except single_object.Unreadable:
        notice = None
    if not isinstance(notice, AccountNotice):
        log.error("%s[%d] at %d is no notice", record.topic, record.partition, record.offset)
        return

    def is_of_today() -> bool:
        return datetime.now(UTC) - notice.at < OLDEST

    if route is None or not is_of_today():
        NOTICE_MAILS.labels("not-mailed").inc()
        return
    is_mailed = await mail_to_all(
        mail_of_notice(notice, route),
        route,
        may_go_on=is_of_today,
        failed=NOTICE_FAILURES.inc,
    )
    NOTICE_MAILS.labels("mailed" if is_mailed else "given-up").inc()
    if not is_mailed:
        log.error("the notice of account %s is not mailed: it is seven days old", notice.account)
