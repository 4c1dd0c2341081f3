"""The MO parts of a partition: drops duplicates, and joins the parts of a message."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

from pipeline.avro import single_object
from pipeline.conversation.tables import ASSEMBLIES, SEEN, time_of_decision
from pipeline.engine import metrics
from pipeline.kafka import topics
from pipeline.sms.msisdn import key_from_handset
from pipeline.stages.parts import bounds as assembly_bounds
from pipeline.stages.parts import dedupe, dedupe_smpp, reassemble

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import Answered, MoMessage, MoPart, MoRaw
    from pipeline.settings import Settings


class Parts:
    """Processes parts, from dedupe to reassembly, and publishes mo-part."""

    def __init__(
        self, settings: Settings, *, closes: Callable[[UnitOfWork, MoMessage], bool]
    ) -> None:
        """`closes`: whether a message would stop what is open."""
        self._closes = closes
        self._horizon = timedelta(hours=settings.dedupe_horizon_hours)
        self._spread = timedelta(minutes=settings.assembly_spread_minutes)
        self._timeout = timedelta(minutes=settings.assembly_timeout_minutes)

    def add(self, work: UnitOfWork, part: MoPart, raw: MoRaw, *, account: str) -> list[MoMessage]:
        """The messages that are complete with `part`, which came by `raw`; none for a duplicate."""
        accepted = self._accept(work, part, raw)
        if accepted is None and dedupe.is_in_doubt(part):
            accepted = self._accept_stop(work, part, raw, account=account)
        if accepted is None:
            metrics.DUPLICATES.labels(part.source).inc()
            return []
        work.send(
            topics.MO_PART, key_from_handset(accepted.handset), single_object.encode(accepted)
        )
        if not accepted.reference_bits:
            return [reassemble.message_from_part(accepted, account=account)]
        key = reassemble.assembly_key(accepted)
        octets = work.tables[ASSEMBLIES].get(key)
        held, messages = reassemble.reassemble(
            reassemble.assemblies_from_octets(octets) if octets else None,
            accepted,
            spread=self._spread,
            timeout=self._timeout,
            account=account,
        )
        self._put_assemblies(work, key, held, messages)
        return messages

    def release(self, work: UnitOfWork, key: bytes, now: datetime) -> list[MoMessage]:
        """The incomplete messages of a row of assemblies that is due."""
        octets = cast("bytes", work.tables[ASSEMBLIES].get(key))
        held, messages = reassemble.release_due(
            reassemble.assemblies_from_octets(octets),
            now=now,
            timeout=self._timeout,
            keep=self._horizon,
        )
        self._put_assemblies(work, key, held, messages)
        return messages

    def forget_seen(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        """Forget that a part was seen: its horizon has passed."""
        work.tables[SEEN].delete(key)

    def forget_unanswered(
        self, work: UnitOfWork, answered: Answered, received_at: datetime
    ) -> None:
        """Remove a deliver_sm from `seen` once its answer has reached the gateway."""
        seen = work.tables[SEEN]
        octets = seen.get(answered.key)
        if octets is None:
            return
        row = dedupe_smpp.without_answered(octets, answered)
        if row is None:
            seen.delete(answered.key)
        else:
            due_at = time_of_decision(work, received_at) + self._horizon
            seen.put(answered.key, row, due_at=due_at)

    def _accept(self, work: UnitOfWork, part: MoPart, raw: MoRaw) -> MoPart | None:
        """The part with its final id, or None if it is a duplicate.

        The row of `seen` may change for a duplicate too, if that is a deliver_sm.
        """
        seen = work.tables[SEEN]
        key = dedupe.seen_key(part)
        octets = seen.get(key)
        row, accepted = dedupe.accept_arrival(octets, part, raw)
        if row != octets:
            due_at = time_of_decision(work, part.received_at) + self._horizon
            seen.put(key, row, due_at=due_at)
        return accepted

    def _accept_stop(
        self, work: UnitOfWork, part: MoPart, raw: MoRaw, *, account: str
    ) -> MoPart | None:
        """Accept a repeat as a message of its own if, as such a message, it stops what is open.

        The row of a deliver_sm stays: the part already has the place of the one that it may repeat.
        """
        row, accepted = dedupe.accept_arrival(None, part, raw)
        if accepted is None:
            return None
        if not self._closes(work, reassemble.message_from_part(accepted, account=account)):
            return None
        if not raw.bind:
            due_at = time_of_decision(work, part.received_at) + self._horizon
            work.tables[SEEN].put(dedupe.seen_key(part), row, due_at=due_at)
        return accepted

    def _put_assemblies(
        self,
        work: UnitOfWork,
        key: bytes,
        row: reassemble.Assemblies | None,
        messages: list[MoMessage],
    ) -> None:
        """Write the row of assemblies; messages that do not fit into it go to `messages`."""
        if row is None:
            work.tables[ASSEMBLIES].delete(key)
            return
        octets = reassemble.octets_from_assemblies(row)
        if not assembly_bounds.is_within_bounds(row, len(octets)):
            row, let_go = assembly_bounds.relieve(row)
            messages += let_go
            octets = reassemble.octets_from_assemblies(row)
        due_at = reassemble.assemblies_due_at(row, timeout=self._timeout, keep=self._horizon)
        work.tables[ASSEMBLIES].put(key, octets, due_at=due_at)
