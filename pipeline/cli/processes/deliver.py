"""`deliver`: the process that hands messages on, and `deliver try`, which tries one path."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say
from pipeline.process.loading import loading

if TYPE_CHECKING:
    from pipeline.delivery.way import Seen
    from pipeline.records import MoMessage, ReplyPath
    from pipeline.settings import Settings

_TEXT = "This is a test message of twoway deliver try."


def deliver(context: typer.Context, home: Home = None) -> None:
    """Hand messages and events on to your application.

    By the reply paths of numbers.toml. It tries again by the gateway's own schedule. Secrets are in
    reply-secrets.toml. You can start several to share the work, at most one for each partition.
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_from(home=home)
    with loading():
        from pipeline.delivery import process

    process.run(settings)


def try_path(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The reply path, as in numbers.toml.")
    ],
    home: Home = None,
) -> None:
    """Send one test message by a path, and show the octets of both sides.

    It reads numbers.toml as it is now, and not what is loaded. Nothing is recorded, and the message
    is from 000000000000, with an id of its own.
    """
    settings = settings_from(home=home)
    path = _path_of(settings, name)
    message = _test_message(settings, name)
    seen = asyncio.run(_deliver(settings, path, message))
    for title, octets in (("sent", seen.sent), ("received", seen.received)):
        if octets:
            say(f"--- {title}, {len(octets)} octets")
            say(octets.decode("utf-8", "backslashreplace"))
    words = " ".join(filter(None, (seen.status, seen.words)))
    if not seen.is_delivered:
        raise CommandError(f"{name}: not delivered: {words}")
    say(f"{name}: delivered {words}".rstrip())


def _path_of(settings: Settings, name: str) -> ReplyPath:
    from pipeline.cli.operate.numbers import numbers_from_file

    file = Path(settings.numbers or settings.home / "numbers.toml")
    now = datetime.now(UTC)
    numbers = numbers_from_file(file, account=settings.account, loaded_at=now)
    path = next((each for each in numbers.reply_paths if each.name == name), None)
    if path is None:
        there = ", ".join(each.name for each in numbers.reply_paths) or "none"
        raise CommandError(f"{file} has no reply path {name}; there are {there}")
    return path


def _test_message(settings: Settings, name: str) -> MoMessage:
    import secrets

    from pipeline.records import MoMessage

    now = datetime.now(UTC).replace(microsecond=0)
    return MoMessage(
        message_id=secrets.token_hex(16),
        handset="000000000000",
        number="000000000000",
        text=_TEXT,
        octets=_TEXT.encode(),
        charset="ISO-8859-1",
        api_id="",
        account=settings.account,
        mo_msg_ids=[""],
        part_ids=[secrets.token_hex(16)],
        gateway_time=now,
        received_at=now,
        parts_total=1,
        parts_missing=[],
        complete=True,
        lossy=False,
        flags=[],
        source="http",
        network_id="",
    )


async def _deliver(settings: Settings, path: ReplyPath, message: MoMessage) -> Seen:
    from pipeline.avro import single_object
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.delivery.secrets_file import (
        NONE,
        SecretsError,
        credentials_from_file,
        reply_secrets_file,
    )
    from pipeline.delivery.ways.make import reply_way_of

    try:
        credentials = credentials_from_file(
            reply_secrets_file(settings), must_be_there=bool(settings.reply_secrets_file)
        )
    except SecretsError as error:
        raise CommandError(str(error)) from error
    try:
        way = reply_way_of(path, credentials.get(path.name, NONE), shows=True)
    except ValueError as error:
        raise CommandError(f"{path.name}: {error}") from error
    order = DeliveryOrder(
        partition=0,
        delivery_id=message.message_id,
        path=path,
        kind="message",
        subject_id=message.message_id,
        handset=message.handset,
        octets=single_object.encode(message),
        attempt=1,
        is_first_try=True,
        since=message.received_at,
    )
    try:
        return await way.deliver(order, message)
    finally:
        await way.close()
