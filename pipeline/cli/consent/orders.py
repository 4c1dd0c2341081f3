"""Makes, checks and publishes operators' orders about consent."""

import uuid
from typing import TYPE_CHECKING, Final

from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from pipeline.cli.ask.broker import Outgoing
    from pipeline.directory.directory import Directory
    from pipeline.records import ConsentAction, ConsentRequest, Numbers
    from pipeline.settings import Settings

NOT_LISTED: Final = "is not in the directory of numbers, so nothing is sent from it"

#: Offsets read from the end of each partition of `numbers`. More than one, because other programs
#: may write unreadable records there.
LAST_RECORDS: Final = 100


def send_order(settings: "Settings", action: "ConsentAction", **fields: str) -> str:
    """Publish an order, and return its id once Kafka has acknowledged the order.

    Raises `CommandError` if the order cannot be carried out under the directory in force.
    """
    from pipeline.cli.ask.broker import publish

    bootstrap, request = checked_order(settings, action, fields)
    publish(bootstrap, [outgoing_from(request)])
    return request.request_id


def checked_order(
    settings: "Settings",
    action: "ConsentAction",
    fields: dict[str, str],
    *,
    is_forced: bool = True,
) -> "tuple[str, ConsentRequest]":
    """The broker's address, and an order that can be carried out under the directory in force.

    Raises `CommandError` for any other order, and for a number that is not listed unless forced.
    """
    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of
    from pipeline.records import ConsentRequest, Rejected
    from pipeline.stages.consent.operator import order_from_request

    request = ConsentRequest(
        action=action,
        requested_at=clock_of(settings).now(),
        **({"request_id": uuid.uuid4().hex} | fields),
    )
    bootstrap = bootstrap_of(settings)
    directory = directory_in_force(bootstrap, settings)
    order = order_from_request(request, directory=directory)
    if isinstance(order, Rejected):
        raise CommandError(f"the order cannot be carried out: {order.words}")
    if request.number and not is_forced and directory.find(request.number) is None:
        raise CommandError(
            f"the number {request.number} {NOT_LISTED}: check the number, or give the order anyway"
            " with --force"
        )
    return bootstrap, request


def directory_in_force(bootstrap: str, settings: "Settings") -> "Directory":
    """The directory that was loaded last, read from its topic; empty if none was loaded."""
    from pipeline.directory.directory import Directory

    newest = numbers_in_force(bootstrap)
    if newest is None:
        return Directory.empty()
    return Directory(newest, default_account=settings.account)


def numbers_in_force(bootstrap: str) -> "Numbers | None":
    """The record of numbers that was loaded last; other records in the topic are ignored."""
    from pipeline.avro.single_object import Unreadable, decode
    from pipeline.cli.ask.broker import open_consumer
    from pipeline.cli.ask.reading import newest_records
    from pipeline.kafka import topics
    from pipeline.records import Numbers

    found: list[Numbers] = []
    with open_consumer(bootstrap) as consumer:
        for record in newest_records(consumer, topics.NUMBERS, window=LAST_RECORDS):
            try:
                numbers = decode(record.value or b"")
            except Unreadable:
                continue
            if isinstance(numbers, Numbers):
                found.append(numbers)
    return max(found, key=lambda numbers: numbers.loaded_at, default=None)


def outgoing_from(request: "ConsentRequest") -> "Outgoing":
    """The order as a record for its handset's partition."""
    from pipeline.cli.ask.broker import Outgoing
    from pipeline.kafka import topics
    from pipeline.sms.msisdn import key_from_handset

    return Outgoing(
        topic=topics.CONSENT_REQUEST, record=request, key=key_from_handset(request.handset)
    )
