"""What a log line says of a record: its place in Kafka, and the id of what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.avro import single_object
from pipeline.process.log_ids import LoggedId

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

#: The fields that name what a record is about; the first that a record has.
_NAMING: Final = ("message_id", "command_id", "request_id", "part_id", "subject_id", "charge_id")


def place_and_id(record: ConsumerRecord) -> tuple[str, str, LoggedId]:
    """The place, the name of the id, and the id; `none` for what is not read or has none."""
    place = f"{record.topic}[{record.partition}]@{record.offset}"
    try:
        value = single_object.decode(record.value or b"")
    except Exception:  # whatever it is: the error that is logged is the one before
        return place, "id", LoggedId("")
    name = next((each for each in _NAMING if getattr(value, each, "")), "")
    return place, name or "id", LoggedId(str(getattr(value, name)) if name else "")
