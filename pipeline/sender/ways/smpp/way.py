"""The way by SMPP 3.4: a transmitter's bind, one submit_sm a part (deploy/decisions/0113)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.peer.smpp import Broken
from pipeline.records import Outcome
from pipeline.sender.way import Answer, Found, PermitEnded, ProbeFailed, Trouble
from pipeline.sender.ways.smpp.binding import Binding, NotBound
from pipeline.sender.ways.smpp.transmitter import NotWritten, SubmissionUnanswered
from pipeline.wire.clickatell.message import NotSendable
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp.coding import ALPHABETS
from pipeline.wire.smpp.pdu import Command, Status
from pipeline.wire.smpp.statuses import TEMPORARY_STATUSES, THROTTLED, code_of, name_of
from pipeline.wire.smpp.submit import message_id_from_answer, submits_from_command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.sender.apis.api import Api
    from pipeline.sender.way import Submission
    from pipeline.sender.ways.smpp.transmitter import Transmitter
    from pipeline.wire.smpp.deliver import DeliverSm
    from pipeline.wire.smpp.pdu import Pdu


class SmppWay:
    """Sends by one bind. Raises `ValueError` for an API to which no bind is possible."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._binding = Binding(api)
        if api.alphabet not in ALPHABETS:
            raise ValueError(f"alphabet must be one of {', '.join(ALPHABETS)}")

    async def submit(self, submission: Submission, may_go: Callable[[], bool]) -> Sequence[Answer]:
        """One answer for each part, in order; a part is sent once the part before was taken.

        So no handset gets the end of a text whose beginning was refused. The permit is asked for
        each part: without it the parts that are left fail, and may go by another permit.
        """
        deadline = asyncio.get_running_loop().time() + self._api.timeout_seconds
        try:
            submits = submits_from_command(
                submission.command, alphabet=self._api.alphabet, max_parts=self._api.max_parts
            )
        except NotSendable as error:
            code, _, words = str(error).partition(": ")
            return [Answer(outcome=Outcome.FAILED, code=code, words=words)]
        numbers = range(1, len(submits) + 1)
        wanted = [n for n in numbers if not submission.parts or n in submission.parts]
        try:
            transmitter = await self._binding.bound(deadline)
        except NotBound as error:
            failed = Answer(
                outcome=Outcome.FAILED, is_temporary=True, words=str(error), trouble=error.trouble
            )
            return [_of_part(failed, n, len(submits)) for n in wanted]
        answers: list[Answer] = []
        left: Answer | None = None  # what becomes of the parts that are not sent
        for number in wanted:
            if left is None:
                answer, left = await self._send(
                    transmitter, submits[number - 1], may_go, deadline, is_first=not answers
                )
            else:
                answer = left
            answers.append(_of_part(answer, number, len(submits)))
        return answers

    async def probe(self) -> str:
        """Bind if there is no bind, and have an enquire_link answered."""
        deadline = asyncio.get_running_loop().time() + self._api.timeout_seconds
        try:
            transmitter = await self._binding.bound(deadline)
            await transmitter.enquire(deadline=deadline)
        except (NotBound, Broken) as error:
            raise ProbeFailed(f"{self._binding.where}: {error}") from error
        return f"bound to {self._binding.where} as a transmitter, and enquire_link is answered"

    async def ask_about(self, command_id: str) -> Found | None:
        """None: query_sm needs the gateway's id, and a lost answer does not tell the id."""
        return None

    async def close(self) -> None:
        """Unbind."""
        await self._binding.close()

    async def _send(
        self,
        transmitter: Transmitter,
        submit: DeliverSm,
        may_go: Callable[[], bool],
        deadline: float,
        *,
        is_first: bool,
    ) -> tuple[Answer, Answer | None]:
        """The outcome of one part, and of the parts behind it; None: these are sent too."""
        try:
            pdu = await transmitter.submit_part(
                smpp_deliver.render(submit), may_go=may_go, deadline=deadline
            )
        except PermitEnded:
            if is_first:
                raise
            failed = _not_sent("the permit ended")
            return failed, failed
        except NotWritten as error:
            failed = _not_sent(str(error), Trouble.UNREACHABLE)
            return failed, failed
        except SubmissionUnanswered as error:
            unknown = Answer(outcome=Outcome.UNKNOWN, words=str(error), trouble=Trouble.UNREACHABLE)
            return unknown, _not_sent("a part before it was not answered", Trouble.UNREACHABLE)
        if pdu.status == Status.INVALID_BIND_STATUS:
            transmitter.end_bind("the gateway takes us for not bound")
        answer = _answer_from_pdu(pdu)
        return answer, None if answer.outcome is Outcome.SUBMITTED else answer


def _answer_from_pdu(pdu: Pdu) -> Answer:
    """Read submit_sm_resp or generic_nack: both say whether the gateway took the part."""
    if pdu.status == Status.OK and pdu.command == Command.SUBMIT_SM_RESP:
        message_id = message_id_from_answer(pdu.body)
        return Answer(
            outcome=Outcome.SUBMITTED, gateway_message_ids=(message_id,) if message_id else ()
        )
    is_throttled = pdu.status in THROTTLED
    return Answer(
        outcome=Outcome.FAILED,
        is_temporary=pdu.status in TEMPORARY_STATUSES,
        code=code_of(pdu.status),
        words=name_of(pdu.status),
        trouble=Trouble.THROTTLED if is_throttled else Trouble.NONE,
    )


def _not_sent(words: str, trouble: Trouble = Trouble.NONE) -> Answer:
    return Answer(
        outcome=Outcome.FAILED, is_temporary=True, words=f"not sent: {words}", trouble=trouble
    )


def _of_part(answer: Answer, number: int, total: int) -> Answer:
    return replace(answer, part_number=number if total > 1 else 0)
