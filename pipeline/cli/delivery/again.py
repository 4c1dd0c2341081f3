"""`delivery retry` and `delivery replay`: hand something on now, or anew."""

import uuid
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.replay.command import since_from_text
from pipeline.cli.terminal.arguments import By, actor_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from kafka import KafkaConsumer

    from pipeline.directory.directory import Directory
    from pipeline.records import DeadLetter, DeliveryRequest
    from pipeline.settings import Settings

AT_ONCE: Final = 500


def retry_deliveries(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of deliveries, from `delivery list`."),
    ] = None,
    path: Annotated[
        str, typer.Option("--path", metavar="NAME", help="All of this path that were given up.")
    ] = "",
    by: By = None,
    home: Home = None,
) -> None:
    """Try deliveries now.

    An open one is tried at once, one that was given up by the whole schedule anew.

    The application may see a message again. Its id is the same.
    """
    wanted = frozenset(ids or ())
    if bool(wanted) == bool(path):
        raise typer.BadParameter("name deliveries by their ids, or else by --path")
    actor = actor_from(by)
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import open_consumer
    from pipeline.home.stack import bootstrap_of

    with open_consumer(bootstrap_of(settings)) as consumer:
        given_up = _given_up(consumer, settings, wanted, path)
    requests = [_of_letter(letter, actor, settings) for letter in given_up.values()]
    left = wanted - given_up.keys()
    still_open = [_of_open(settings, each, actor) for each in sorted(left)]
    _publish(settings, [*requests, *still_open])
    for name in (*given_up, *sorted(left)):
        say(f"{name}  is tried again")
    if not given_up and path:
        say(f"no delivery of {path} was given up")


def replay_messages(
    since: Annotated[
        str, typer.Option(metavar="DATE", help="From here on: 2026-03-01, or a time.")
    ],
    path: Annotated[
        str, typer.Option("--path", metavar="NAME", help="Only messages of this path's numbers.")
    ] = "",
    yes: Annotated[
        bool, typer.Option("--yes", help="Needed to do it; else only show what would be done.")
    ] = False,
    by: By = None,
    home: Home = None,
) -> None:
    """Hand on anew every message since a time.

    Every message that Kafka still has, by the paths of now.

    Use it when an application has lost what it took. The ids are the same as before.
    """
    start = since_from_text(since)
    actor = actor_from(by)
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import open_consumer
    from pipeline.home.stack import bootstrap_of

    count = 0
    with open_consumer(bootstrap_of(settings)) as consumer:
        some: list[DeliveryRequest] = []
        for request in _messages_since(consumer, settings, start, path, actor):
            count += 1
            if yes:
                some.append(request)
            if len(some) == AT_ONCE:
                _publish(settings, some)
                some = []
        _publish(settings, some)
    words = "handed on anew" if yes else "would be handed on anew: --yes does it"
    say(f"{count} messages {words}")


def _given_up(
    consumer: "KafkaConsumer", settings: "Settings", wanted: frozenset[str], path: str
) -> "dict[str, DeadLetter]":
    """The dead letters of these deliveries, or of all of a path; not of forgotten handsets."""
    from pipeline.cli.dead_letter.forgotten import ErasedHandsets
    from pipeline.cli.dead_letter.reading import all_letters
    from pipeline.records import Reason

    forgotten = ErasedHandsets(consumer, settings)
    found = {}
    for letter in all_letters(consumer):
        if letter.reason != Reason.DELIVERY_GIVEN_UP:
            continue
        if letter.dead_letter_id not in wanted and letter.source != path:
            continue
        if not forgotten.holds((letter.key or b"").decode("utf-8", "replace"), at=letter.at):
            found[letter.dead_letter_id] = letter
    return found


def _of_letter(letter: "DeadLetter", actor: str, settings: "Settings") -> "DeliveryRequest":
    handset = (letter.key or b"").decode("utf-8", "replace")
    return _request(
        settings,
        action="retry",
        delivery_id=letter.dead_letter_id,
        path=letter.source,
        handset=handset,
        topic=letter.topic,
        octets=letter.octets,
        actor=actor,
    )


def _of_open(settings: "Settings", delivery_id: str, actor: str) -> "DeliveryRequest":
    from pipeline.cli.delivery.listing import deliveries_of

    found = deliveries_of(settings, everything=True, delivery_id=delivery_id, most=1)
    if not found:
        raise CommandError(f"there is no delivery {delivery_id}")
    if found[0].state == "delivered":
        raise CommandError(f"{delivery_id} was delivered: `delivery replay` hands on anew")
    return _request(
        settings,
        action="retry",
        delivery_id=delivery_id,
        path=found[0].path,
        handset=found[0].handset,
        topic="",
        octets=b"",
        actor=actor,
    )


def _messages_since(
    consumer: "KafkaConsumer", settings: "Settings", start: "datetime", path: str, actor: str
) -> "Iterator[DeliveryRequest]":
    from pipeline.avro.single_object import Unreadable, decode
    from pipeline.cli.ask.reading import partitions_of, records_between
    from pipeline.cli.ask.report_client import report_of
    from pipeline.cli.dead_letter.forgotten import ErasedHandsets
    from pipeline.cli.why.directory import directory_from_report
    from pipeline.kafka import topics
    from pipeline.records import MoMessage

    directory: Directory = directory_from_report(report_of(settings), settings)
    forgotten = ErasedHandsets(consumer, settings)
    partitions = partitions_of(consumer, [topics.MO_MESSAGE])
    ends = consumer.end_offsets(partitions)
    moment = int(start.timestamp() * 1000)
    found = consumer.offsets_for_times(dict.fromkeys(partitions, moment))
    starts = {at: found[at].offset if found.get(at) else ends[at] for at in partitions}
    for record in records_between(consumer, starts=starts, ends=ends):
        try:
            message = decode(record.value or b"")
        except Unreadable:
            continue
        if not isinstance(message, MoMessage):
            continue
        by = directory.reply_path_of(message.number)
        if by is None or (path and by.name != path):
            continue
        if forgotten.holds(message.handset, at=message.received_at):
            continue
        yield _request(
            settings,
            action="replay",
            delivery_id="",
            path="",
            handset=message.handset,
            topic=topics.MO_MESSAGE,
            octets=record.value,
            actor=actor,
        )


def _request(settings: "Settings", **fields: str | bytes) -> "DeliveryRequest":
    from pipeline.cli.terminal.local import clock_of
    from pipeline.records import DeliveryRequest

    now = clock_of(settings).now()
    return DeliveryRequest(request_id=uuid.uuid4().hex, requested_at=now, **fields)  # type: ignore[arg-type]


def _publish(settings: "Settings", requests: "Iterable[DeliveryRequest]") -> None:
    from pipeline.cli.ask.broker import Outgoing, publish
    from pipeline.home.stack import bootstrap_of
    from pipeline.kafka import topics
    from pipeline.sms.msisdn import key_from_handset

    outgoing: list[Outgoing] = [
        Outgoing(topic=topics.DELIVERY_REQUEST, record=each, key=key_from_handset(each.handset))
        for each in requests
    ]
    if outgoing:
        publish(bootstrap_of(settings), outgoing)
