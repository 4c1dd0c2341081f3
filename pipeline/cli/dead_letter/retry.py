"""`dead-letter retry`: processes refused input again in the same way."""

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.arguments import By, actor_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say
from pipeline.records.plain import text_from_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kafka import KafkaConsumer, KafkaProducer

    from pipeline.records import DeadLetter, DeadLetterRetry
    from pipeline.settings import Settings
    from pipeline.store.story.again import Again

    Retried = tuple[DeadLetter, Again]

TRANSACTION: Final = "twoway-dead-letter-retry"
AT_ONCE: Final = 500


def retry(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of dead letters, from `dead-letter list`."),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Select all that were refused for this reason."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="WAY",
            help="All that came by http, xml, soap, smpp, ftp, or as status-http and so on.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Needed without ids; else only show what would be done.")
    ] = False,
    by: By = None,
    home: Home = None,
) -> None:
    """Process refused input again, with the same octets.

    Headers and time of receipt are the same, too. Use it when the input has become readable, after
    an upgrade or with another number directory. Each dead letter is retried once, and the retry is
    recorded. If the input is refused again, the new dead letter names the old one.
    """
    wanted = frozenset(ids or ())
    if bool(wanted) == bool(reason or source):
        raise typer.BadParameter("name letters by their ids, or else by --reason, --source or both")
    actor = actor_from(by)
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import open_consumer, open_producer
    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of
    from pipeline.records import DeadLetterRetry

    def wants(letter: "DeadLetter") -> bool:
        if wanted:
            return letter.dead_letter_id in wanted
        return reason in (None, letter.reason) and source in (None, letter.source)

    left = set(wanted)
    bootstrap = bootstrap_of(settings)
    with open_consumer(bootstrap) as consumer:
        if not (wanted or yes):
            for letter, again in _retriable(consumer, wants, settings=settings, left=left):
                say(f"{letter.dead_letter_id}  would be {_fate_of(again)}")
            return
        with open_producer(bootstrap, transactional_id=TRANSACTION) as producer:
            producer.init_transactions()  # from here on no other retry can commit
            retriable = _retriable(consumer, wants, settings=settings, left=left)
            while some := list(islice(retriable, AT_ONCE)):
                now = clock_of(settings).now()
                retries = [
                    DeadLetterRetry(
                        dead_letter_id=letter.dead_letter_id,
                        topic=again.topic,
                        reason=again.rejected.reason if again.rejected else "",
                        words=again.rejected.words if again.rejected else "",
                        actor=actor,
                        at=now,
                    )
                    for letter, again in some
                ]
                _publish(producer, [again for _, again in some], retries)
                for letter, again in some:
                    say(f"{letter.dead_letter_id}  {_fate_of(again)}")
    if left:
        raise CommandError(f"{len(left)} of {len(wanted)} not retried: {', '.join(sorted(left))}")


def _retriable(
    consumer: "KafkaConsumer",
    wants: "Callable[[DeadLetter], bool]",
    *,
    settings: "Settings",
    left: set[str],
) -> "Iterator[Retried]":
    """The wanted letters that can be retried, with the record to publish.

    For the other wanted letters it prints why not. It removes from `left` the letters that are
    retried now or were retried before.
    """
    from pipeline.cli.dead_letter.command_of import handset_of_report
    from pipeline.cli.dead_letter.forgotten import ErasedHandsets
    from pipeline.cli.dead_letter.reading import all_letters, retries_by_letter
    from pipeline.store.story.again import CannotRetry, again_from_letter

    done = retries_by_letter(consumer)
    forgotten = ErasedHandsets(consumer, settings)
    for letter in all_letters(consumer):
        if not wants(letter):
            continue
        name = letter.dead_letter_id
        if earlier := done.get(name):
            at = text_from_time(earlier.at)
            say(f"{name}  was retried by {earlier.actor} at {at}", err=True)
            left.discard(name)
            continue
        try:
            again = again_from_letter(
                letter,
                alphabet=settings.smpp_default_alphabet,
                handset_of=partial(handset_of_report, settings),
            )
            if forgotten.holds((again.key or b"").decode("utf-8", "replace"), at=letter.at):
                raise CannotRetry("its handset was forgotten")
        except CannotRetry as error:
            say(f"{name}  cannot be retried: {error}", err=True)
            continue
        left.discard(name)
        yield letter, again


def _fate_of(again: "Again") -> str:
    if again.rejected is None:
        return f"sent to {again.topic} again"
    return f"refused again, {again.rejected.reason}: {again.rejected.words}"


def _publish(
    producer: "KafkaProducer", all_again: "Sequence[Again]", retries: "Sequence[DeadLetterRetry]"
) -> None:
    """Publish the records and their retries in one transaction."""
    from pipeline.avro.single_object import encode
    from pipeline.cli.ask.broker import ACKNOWLEDGE_SECONDS
    from pipeline.kafka import topics

    producer.begin_transaction()
    sent = [
        producer.send(
            again.topic,
            again.octets,
            key=again.key,
            partition=again.partition,
            headers=list(again.headers),
        )
        for again in all_again
    ]
    sent += [producer.send(topics.DEAD_LETTER_RETRY, encode(retry)) for retry in retries]
    for future in sent:
        future.get(timeout=ACKNOWLEDGE_SECONDS)
    producer.commit_transaction()
