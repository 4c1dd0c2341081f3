"""Hands a mail to the mail server, for each mailbox, until the server has taken it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pipeline.process.backoff import Backoff
from pipeline.sender.notices.mail import MAIL_SECONDS
from pipeline.sender.ways.smtp.connection import (
    Lost,
    MailConnection,
    MailRefused,
    MailUnanswered,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.sender.notices.mail import MailRoute

log = logging.getLogger("twoway.sender")

BACKOFF_SECONDS: Final = (2.0, 600.0)


class MailFailed(Exception):
    """The mail was not taken; the words say why."""


async def mail_to_all(
    octets: bytes, route: MailRoute, *, may_go_on: Callable[[], bool], failed: Callable[[], None]
) -> bool:
    """Try until each mailbox's server has taken it, or `may_go_on` no longer holds: then False.

    A mailbox may get it twice, where an answer was lost: the Message-ID is the same.
    """
    left = list(route.recipients)
    backoff = Backoff(*BACKOFF_SECONDS)
    while left:
        try:
            await _mail(octets, route, left[0])
        except MailFailed as error:
            if not may_go_on():
                return False
            failed()
            seconds = backoff.failed()
            log.warning("a notice is not mailed, again in %g s: %s", seconds, error)
            left.append(left.pop(0))  # one that is refused for good does not hold up the others
            await asyncio.sleep(seconds)
        else:
            left.pop(0)
            backoff.succeeded()
    return True


async def _mail(octets: bytes, route: MailRoute, recipient: str) -> None:
    """Hand it over by a connection of its own; raises `MailFailed`."""
    connection = MailConnection(route.server, tls=route.tls)
    try:
        async with asyncio.timeout(MAIL_SECONDS):
            await connection.connect()
            code, words = await connection.send(
                octets, sender=route.sender, recipient=recipient, may_go=lambda: True
            )
            if not 200 <= code < 300:
                raise MailFailed(f"the server answered {code} {_cleaned(words)}")
            await connection.quit()
    except (Lost, MailRefused, MailUnanswered) as error:
        raise MailFailed(str(error)) from error
    except TimeoutError as error:
        raise MailFailed("the server did not answer in time") from error
    finally:
        connection.close()


def _cleaned(words: str) -> str:
    from pipeline.process.peer_words import peer_words

    return peer_words(words)
