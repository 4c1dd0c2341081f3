"""Pure functions from an HTTP response, and the gateway's line in it, to the outcome."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from pipeline.process.peer_words import peer_words
from pipeline.records import Outcome
from pipeline.sender.way import Answer, Found, Trouble
from pipeline.web.retry_after import seconds_from_header
from pipeline.wire.clickatell.answers import RefusedReply, Taken, Unclear
from pipeline.wire.clickatell.codes import ERROR_CODES, NOT_KNOWN, About, pause_seconds, refusal_of

if TYPE_CHECKING:
    from pipeline.sender.ways.over_http.posting import Response
    from pipeline.wire.clickatell.answers import Reply

_TROUBLES: Final = {
    About.MESSAGE: Trouble.NONE,
    About.US: Trouble.REFUSED,
    About.SESSION: Trouble.REFUSED,
    About.PACE: Trouble.THROTTLED,
}
#: Statuses that are about the address or the login, and not about a message.
_OF_US: Final = frozenset({401, 403, 404, 405, 407, 421})
_BEGIN: Final = 80  # characters of an answer that is too long


def answer_of(response: Response, reply: Reply, *, now: float) -> Answer:
    """The outcome of a submission. `now` is UNIX time in seconds.

    The gateway's line decides, but an ID only with a status of success: else the two contradict
    each other. Without a line, 4xx means that the request was not taken (RFC 9110 15.5); with every
    other status the outcome is unknown.
    """
    status = response.status
    if isinstance(reply, RefusedReply):
        return not_taken(reply, now=now)
    if isinstance(reply, Taken) and 200 <= status < 300:
        return Answer(outcome=Outcome.SUBMITTED, gateway_message_ids=(reply.gateway_message_id,))
    words = words_about(response, reply)
    if isinstance(reply, Taken):
        return unknown(words)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        pause = seconds_from_header(response.retry_after, now=now)
        return not_sent(words, trouble=Trouble.THROTTLED, retry_after_seconds=pause)
    if status in _OF_US:
        return not_sent(words, trouble=Trouble.REFUSED)
    if 400 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT:
        return Answer(outcome=Outcome.FAILED, words=words)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and response.retry_after:
        pause = seconds_from_header(response.retry_after, now=now)
        return Answer(
            outcome=Outcome.UNKNOWN,
            words=words,
            trouble=Trouble.THROTTLED,
            retry_after_seconds=pause,
        )
    return unknown(words)


def not_taken(refused: RefusedReply, *, now: float) -> Answer:
    """The answer for a message that the gateway refused, by the gateway's code."""
    refusal = refusal_of(refused.code)
    words = refused.words or refusal.words
    if refused.code and refused.code not in ERROR_CODES:
        words += f" ({refusal.words})"
    return Answer(
        outcome=Outcome.FAILED,
        is_temporary=refusal.is_temporary,
        code=refused.code,
        words=peer_words(words),
        trouble=_TROUBLES[refusal.about],
        retry_after_seconds=pause_seconds(refused.words, now=now)
        if refusal.about is About.PACE
        else 0,
    )


def not_sent(
    words: str, *, trouble: Trouble = Trouble.UNREACHABLE, retry_after_seconds: int = 0
) -> Answer:
    """The answer for a message of which nothing was taken; a later attempt may succeed."""
    return Answer(
        outcome=Outcome.FAILED,
        is_temporary=True,
        words=words,
        trouble=trouble,
        retry_after_seconds=retry_after_seconds,
    )


def login_refused(response: Response, reply: Reply, *, now: float) -> Answer:
    """The answer after a refused login: nothing was sent, whatever the response says."""
    seen = answer_of(response, reply, now=now)
    trouble = seen.trouble
    if trouble is Trouble.NONE:
        trouble = Trouble.REFUSED if isinstance(reply, RefusedReply) else Trouble.UNREACHABLE
    return Answer(
        outcome=Outcome.FAILED,
        is_temporary=True,
        code=seen.code,
        words=f"login: {seen.words}",
        trouble=trouble,
        retry_after_seconds=seen.retry_after_seconds,
    )


def unknown(words: str) -> Answer:
    """The answer for a message that may have left, if no response was understood."""
    return Answer(outcome=Outcome.UNKNOWN, words=words)


def found_of(response: Response, reply: Reply) -> Found:
    """The result of a query about a message."""
    if isinstance(reply, Taken) and reply.status and 200 <= response.status < 300:
        return Found(
            is_known=True,
            gateway_message_id=reply.gateway_message_id,
            status=reply.status,
            charge=reply.charge,
        )
    if isinstance(reply, RefusedReply):
        is_known = False if reply.code in NOT_KNOWN else None
        words = peer_words(reply.words or refusal_of(reply.code).words)
        return Found(is_known=is_known, code=reply.code, words=words)
    return Found(is_known=None, words=words_about(response, reply))


def is_session_over(reply: Reply) -> bool:
    """Whether the gateway refused the session, and not the call."""
    return isinstance(reply, RefusedReply) and refusal_of(reply.code).about is About.SESSION


def words_about(response: Response, reply: Reply) -> str:
    """The response in words, for a person."""
    if isinstance(reply, Unclear) and reply.words:
        said = peer_words(reply.words.strip())
    elif not response.octets.strip():
        said = "an empty answer"
    elif not response.is_whole:
        begin = peer_words(response.octets, limit=_BEGIN)
        said = f"more than {len(response.octets)} octets, which begin: {begin}"
    else:
        said = peer_words(response.octets.strip())
    return said if response.status == HTTPStatus.OK else f"HTTP {response.status}: {said}"
