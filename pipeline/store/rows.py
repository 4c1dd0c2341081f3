"""A record as a row of ClickHouse: the fields of the record in their order, and its place in Kafka.

`deploy/clickhouse/` has the tables. A test compares these columns with the tables and the schemas.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

import msgspec

from pipeline import records
from pipeline.whose.in_python import text_of_key
from pipeline.whose.rules import OF_RECORD, How, Naming

if TYPE_CHECKING:
    from pipeline.records import Record

#: Every record that is stored: all but ticks and asks.
STORED: Final[tuple[type[Record], ...]] = (
    records.MoRaw,
    records.MoPart,
    records.MoMessage,
    records.ConsentChange,
    records.MtRequest,
    records.MtCommand,
    records.MtRejection,
    records.MtResult,
    records.MtState,
    records.ConsentRequest,
    records.ForgetRequest,
    records.Erasure,
    records.MoDelivery,
    records.MoDeliveryResult,
    records.DeliveryRequest,
    records.AccountCharge,
    records.AccountCredit,
    records.AccountEntry,
    records.AccountRelease,
    records.AccountNotice,
    records.Numbers,
    records.DeadLetter,
    records.DeadLetterRetry,
    records.ReportAccess,
)
#: Those of them that are of one handset, and go with it.
STORED_OF_HANDSETS: Final = tuple(kind for kind in STORED if kind in OF_RECORD)
#: Records that do not name their handset in digits get it from the key of the Kafka record.
KEYED: Final = frozenset(kind for kind, namings in OF_RECORD.items() if Naming(How.KEY) in namings)
#: Kafka's time of the record, by which tables are partitioned, and its place.
PLACE: Final = ("written_at", "kafka_partition", "kafka_offset")

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
# DateTime64 holds these years; a time outside them is stored as the nearest time inside.
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2299, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
_LAST_MS: Final = (_LAST - _EPOCH) // _MILLISECOND


def milliseconds_from_time(time: datetime) -> int:
    """Whole milliseconds since 1970, as DateTime64(3) holds them; never rounded up."""
    return (min(max(time, _FIRST), _LAST) - _EPOCH) // _MILLISECOND


def columns_of(kind: type[Record]) -> tuple[str, ...]:
    """Names of the columns of a record's table, in order."""
    handset = ("handset",) if kind in KEYED else ()
    return (*kind.__struct_fields__, *handset, *PLACE)


def row_from_record(
    record: Record, *, key: bytes | None, partition: int, offset: int, written_ms: int
) -> Row:
    """The row of a record that was read at `offset` of `partition` under `key`.

    `written_ms` is Kafka's time of it, in milliseconds since 1970.
    """
    fields, conversions = _reader_of(type(record))
    row = list(fields(record))
    for index, convert in conversions:
        row[index] = convert(row[index])
    if type(record) in KEYED:
        row.append(text_of_key(key))
    row.append(min(max(written_ms, 0), _LAST_MS))
    row.append(partition)
    row.append(offset)
    return tuple(row)


@cache
def _reader_of(kind: type[Record]) -> tuple[Callable[[Record], Row], list[tuple[int, Convert]]]:
    """A function that reads the fields of a record, and the conversions that some fields need."""
    fields = msgspec.structs.fields(kind)
    conversions = [
        (index, convert)
        for index, field in enumerate(fields)
        if (convert := _conversion_of(field.type)) is not None
    ]
    return attrgetter(*(field.name for field in fields)), conversions


def _conversion_of(kind: Any) -> Convert | None:
    """The conversion of a value of this type for the driver; None if it needs none."""
    if kind is datetime:
        return milliseconds_from_time
    if isinstance(kind, UnionType):
        inner = _conversion_of(next(part for part in get_args(kind) if part is not type(None)))
        return None if inner is None else lambda value: None if value is None else inner(value)
    if get_origin(kind) is list:
        each = _conversion_of(get_args(kind)[0])
        return None if each is None else lambda values: [each(value) for value in values]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _tuple_from_struct(kind)
    return None


def _tuple_from_struct(kind: type[msgspec.Struct]) -> Convert:
    members = [(field.name, _conversion_of(field.type)) for field in msgspec.structs.fields(kind)]

    def convert(value: Any) -> Row:
        return tuple(
            getattr(value, name) if inner is None else inner(getattr(value, name))
            for name, inner in members
        )

    return convert
