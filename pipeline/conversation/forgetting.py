"""Forgets a handset: removes its rows from the tables, and keeps its stops as a suppression.

A suppression is a row `HMAC of the handset -> scopes`. When a handset without a row is read, its
row is made from its suppression. When that row changes, it is written, and the suppression is
deleted. So a handset has either a row or a suppression.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.avro import single_object
from pipeline.conversation.charges import forget_held
from pipeline.conversation.tables import (
    ASSEMBLIES,
    CONSENTS,
    HELD_IDS,
    HELD_MESSAGES,
    SENT,
    SUPPRESSIONS,
)
from pipeline.identity import derived_id
from pipeline.kafka import topics
from pipeline.records import ErasedRows, Erasure, ForgetRequest, Reason, Rejected
from pipeline.sms.msisdn import is_digits, key_from_handset
from pipeline.stages.account.held import keys_of_held_begin
from pipeline.stages.consent import decide as consent
from pipeline.stages.consent import suppression
from pipeline.stages.parts import reassemble
from pipeline.stages.sending.row import sent_keys_begin
from pipeline.suppression_key import SuppressionKey, SuppressionKeyError, read_key
from pipeline.whose.rules import ERASED_TABLES, OF_TABLE, InTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.state.tables import Table
    from pipeline.engine.unit_of_work import UnitOfWork

#: The key of the row with the fingerprint of the suppression key.
_KEY_ROW: Final = b""
#: How the keys of a handset's rows begin, in the tables whose keys begin with it.
_KEYS_BEGIN: Final = {
    ASSEMBLIES: reassemble.keys_begin,
    SENT: sent_keys_begin,
    HELD_MESSAGES: keys_of_held_begin,
}


class Forgetting:
    """Forgets handsets, and recognises forgotten handsets that had stopped."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self._key: SuppressionKey | None = None

    def check_key(self, tables: Mapping[str, Table]) -> None:
        """Raise `SuppressionKeyError` when there are suppressions but not the key of their HMAC.

        Without the key a stop would be lost unnoticed.
        """
        fingerprint = tables[SUPPRESSIONS].get(_KEY_ROW)
        if fingerprint is None:
            return
        self._key = self._key or read_key(self._file)
        if self._key is None:
            raise SuppressionKeyError(
                f"stops of forgotten handsets are kept, but their suppression key is missing:"
                f" restore it at {self._file}"
            )
        if self._key.fingerprint != fingerprint:
            raise SuppressionKeyError(
                f"the key {self._file} is not the key under which the stops of forgotten handsets"
                " are kept: restore that key"
            )

    def recall(self, work: UnitOfWork, handset: str) -> consent.HandsetConsent | None:
        """The row made from the handset's suppression; None if it has no suppression."""
        if self._key is None or work.tables[SUPPRESSIONS].is_empty:
            return None
        octets = work.tables[SUPPRESSIONS].get(self._key.of(handset))
        if octets is None:
            return None
        return suppression.row_from_suppression(
            suppression.suppression_from_octets(octets), handset
        )

    def remove_suppression(self, work: UnitOfWork, handset: str) -> None:
        """Remove the suppression: the handset has a row again, which holds the same stops."""
        if self._key is not None:
            work.tables[SUPPRESSIONS].delete(self._key.of(handset))

    def forget(
        self,
        work: UnitOfWork,
        record: ConsumerRecord,
        request: ForgetRequest,
        *,
        handset: str,
        now: datetime,
    ) -> Rejected | None:
        """Remove the handset's rows and publish an `Erasure`; or return why that is refused."""
        wrong = _what_is_wrong(request, handset)
        if wrong:
            return Rejected(Reason.WRONG_ORDER, wrong)
        try:
            self._key = self._key or read_key(self._file)
        except SuppressionKeyError as error:
            return Rejected(Reason.WRONG_ORDER, str(error))
        if self._key is None:
            words = f"the worker has no suppression key: there is no file {self._file}"
            return Rejected(Reason.WRONG_ORDER, words)
        name = self._key.of(handset)
        kept = self._suppress(work, handset, name, now)
        forget_held(work, handset)
        rows = [
            ErasedRows(name=name, rows=_remove(table, _keys_of(name, table, handset)))
            for name in ERASED_TABLES
            for table in (work.tables[name],)
        ]
        work.scrub(*ERASED_TABLES, HELD_IDS)
        erasure = Erasure(
            erasure_id=derived_id("erasure", name.hex(), request.request_id),
            suppression=name.hex(),
            key_id=self._key.fingerprint.hex(),
            request_id=request.request_id,
            order_offset=record.offset,
            at=now,
            actor=request.actor,
            reason="" if handset in request.reason else request.reason,
            rows=rows,
            stops=suppression.kept_stops(kept),
        )
        work.send(topics.ERASURE, name.hex().encode(), single_object.encode(erasure))
        return None

    def _suppress(
        self, work: UnitOfWork, handset: str, name: bytes, now: datetime
    ) -> suppression.Suppression | None:
        """Write the suppression with the stops of the handset's row.

        Without a row, a suppression from an earlier erasure stays unchanged.
        """
        table = work.tables[SUPPRESSIONS]
        octets = work.tables[CONSENTS].get(key_from_handset(handset))
        if octets is None:
            before = table.get(name)
            return suppression.suppression_from_octets(before) if before else None
        kept = suppression.suppress(consent.consent_from_octets(octets), now=now)
        if kept is not None and self._key is not None:
            table.put(_KEY_ROW, self._key.fingerprint)
            table.put(name, suppression.octets_from_suppression(kept))
        return kept


def _keys_of(name: str, table: Table, handset: str) -> list[bytes]:
    """The keys of the handset's rows in a table."""
    if OF_TABLE[name].whose is InTable.KEY_BEGINS:
        return table.keys(_KEYS_BEGIN[name](handset))
    key = key_from_handset(handset)
    return [key] if table.get(key) is not None else []


def _remove(table: Table, keys: list[bytes]) -> int:
    for key in keys:
        table.delete(key)
    return len(keys)


def _what_is_wrong(request: ForgetRequest, handset: str) -> str:
    """Why the order cannot be carried out; empty when it can."""
    if not request.request_id:
        return "it has no id"
    if not is_digits(handset):
        return "the handset is not digits"
    if not request.actor.strip() or not request.reason.strip():
        return "it does not say who orders it and why"
    return ""
