"""Orders about one handset: to stop or to open a scope, and to forget the handset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.conversation.refusals import bury
from pipeline.conversation.tables import REQUESTS, time_of_decision
from pipeline.kafka import topics
from pipeline.records import ConsentRequest, ForgetRequest, Rejected
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.stages.consent.operator import order_from_request, order_key, take_order

if TYPE_CHECKING:
    from datetime import timedelta

    from aiokafka.structs import ConsumerRecord

    from pipeline.conversation.forgetting import Forgetting
    from pipeline.conversation.handsets import Handsets
    from pipeline.directory.directory import Directory
    from pipeline.engine.bounded_times import TimeBounds
    from pipeline.engine.unit_of_work import UnitOfWork


class HomePartition:
    """Knows this partition, and the partition to which a handset belongs."""

    def __init__(self, *, partition: int, partitions: int) -> None:
        self.partition = partition
        self._partitions = partitions

    def sends_on(self, work: UnitOfWork, record: ConsumerRecord, handset: str) -> bool:
        """Whether the record belongs to another partition; if so, it is published there."""
        key = key_from_handset(handset)
        home = topics.partition_of(key, self._partitions)
        if home == self.partition:
            return False
        work.send(record.topic, key, record.value, partition=home)
        return True


class Orders:
    """Carries out orders. The id of an order ensures that it is carried out once."""

    def __init__(
        self,
        *,
        home: HomePartition,
        times: TimeBounds,
        horizon: timedelta,
        forgetting: Forgetting,
        handsets: Handsets,
    ) -> None:
        self._home = home
        self._times = times
        self._horizon = horizon
        self._forgetting = forgetting
        self._handsets = handsets

    def take_consent(
        self,
        work: UnitOfWork,
        record: ConsumerRecord,
        request: ConsentRequest,
        directory: Directory,
    ) -> None:
        """Carry out a `ConsentRequest`; it is refused if it does not fit the directory."""
        handset = address_from_text(request.handset)
        key = order_key(request)
        if not self._is_new_here(work, record, handset, key):
            return
        at = self._times.believed(work, record, request.requested_at)
        if at is not request.requested_at:
            request = msgspec.structs.replace(request, requested_at=at)
        order = order_from_request(request, directory=directory)
        if isinstance(order, Rejected):
            bury(work, record, order, at=request.requested_at)
            return
        requests = work.tables[REQUESTS]
        requests.put(key, b"")  # for good: an import may be repeated after a year
        if order is None:
            return
        now = time_of_decision(work, request.requested_at)
        held = self._handsets.read(work, handset)
        decision = take_order(held.row, order, directory=directory, now=now)
        self._handsets.write(work, held, decision)

    def take_forget(self, work: UnitOfWork, record: ConsumerRecord, request: ForgetRequest) -> None:
        """Carry out an order to forget a handset."""
        handset = address_from_text(request.handset)
        key = order_key(request)
        if not self._is_new_here(work, record, handset, key):
            return
        at = self._times.believed(work, record, request.requested_at)
        if at is not request.requested_at:
            request = msgspec.structs.replace(request, requested_at=at)
        now = time_of_decision(work, at)
        work.tables[REQUESTS].put(key, b"", due_at=now + self._horizon)
        rejected = self._forgetting.forget(work, record, request, handset=handset, now=now)
        if rejected is not None:
            bury(work, record, rejected, at=request.requested_at)

    def _is_new_here(
        self, work: UnitOfWork, record: ConsumerRecord, handset: str, key: bytes
    ) -> bool:
        """Whether the order is of this partition and was not carried out before."""
        if self._home.sends_on(work, record, handset):
            return False
        return work.tables[REQUESTS].get(key) is None
