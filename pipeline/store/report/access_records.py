"""Writes to Kafka who took what out of the report, before it is given."""

from __future__ import annotations

import asyncio
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro.single_object import encode
from pipeline.kafka import topics
from pipeline.kafka.login.options import serving_options
from pipeline.records import AccessAction, ReportAccess
from pipeline.store.report.caller import SignedInBy
from pipeline.store.report.masking.columns_seen import without_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.store.report.route import PageRequest

#: Parameters that may name a person or a text: of these it is written only that they were given.
_UNTOLD: Final = frozenset({"handset", "text", "keyword", "id", "before", "after"})
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?")
_LONGEST: Final = 2_000  # characters
_ANSWER_MS: Final = 5_000
_PATIENCE_SECONDS: Final = 10
#: Of a statement: comments and here-documents, words in quotes, and numbers. What is not closed
#: goes to the end. All are read in one go: each may hold what looks like another. It is linear.
_LEFT_OUT: Final = r"--[^\n]*|/\*.*?(?:\*/|\Z)|\$\w*\$.*?(?:\$\w*\$|\Z)"
_QUOTED: Final = "|".join(rf"{q}(?:[^{q}\\]|\\.)*(?:{q}|\\?\Z)" for q in "'\"`")
_LITERALS: Final = re.compile(rf"(?P<left_out>{_LEFT_OUT})|{_QUOTED}|\d[\w.]*", re.DOTALL)


class NotNoted(RuntimeError):
    """What was asked for cannot be written down, so it is not given."""


class AccessRecords:
    """Writes records `report-access`. Without users nobody is named, and nothing is written."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Any = None
        self._starting = asyncio.Lock()

    async def note(self, asked: PageRequest, action: AccessAction, what: str) -> None:
        """Write what the caller asked for; raises `NotNoted`."""
        caller = asked.caller
        if caller.by is SignedInBy.NOBODY:
            return
        record = ReportAccess(
            access_id=secrets.token_hex(16),
            action=action,
            actor=caller.name,
            signed_in_by=caller.by,
            address=caller.address,
            rights=sorted(caller.rights),
            what=what[:_LONGEST],
            given=filters_told(asked.query)[:_LONGEST],
            at=datetime.now(UTC),
        )
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                producer = await self._started()
                await producer.send_and_wait(topics.REPORT_ACCESS, encode(record))
        except (KafkaError, TimeoutError) as error:
            raise NotNoted(
                f"who asks for this is written down first, and Kafka does not take it"
                f" ({type(error).__name__})"
            ) from error

    async def close(self) -> None:
        """Give up the connection to Kafka."""
        if self._producer is not None:
            await self._producer.stop()

    async def _started(self) -> Any:
        async with self._starting:
            if self._producer is None:
                if not self._bootstrap:
                    raise NotNoted("who asks for this is written down, and no broker is known")
                producer = AIOKafkaProducer(
                    **serving_options(self._bootstrap),
                    acks="all",
                    enable_idempotence=True,
                    request_timeout_ms=_ANSWER_MS,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
        return self._producer


def filters_told(query: Mapping[str, str]) -> str:
    """The parameters of an address, without what names a person or a text."""
    return "&".join(f"{name}={_told(name, query[name])}" for name in sorted(query))


def _told(name: str, value: str) -> str:
    if name in _UNTOLD:
        return "…"
    return value if _TIME.fullmatch(value) else quote(without_numbers(value), safe=" []")


def statement_told(statement: str) -> str:
    """A statement without its literals, names in quotes and comments, in one line."""
    words = _LITERALS.sub(lambda found: " " if found["left_out"] else "?", statement)
    return " ".join(words.split())
