"""Takes messages from every door, and sends them on their way to the handset."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.gateway.account.account import MT_CREDITS
from pipeline.gateway.faults.kinds import Group
from pipeline.gateway.messages import Message, Result
from pipeline.gateway.refusal import Refusal
from pipeline.gateway.taking.judging import submission_from
from pipeline.gateway.taking.sender_table import shown
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.gateway.ground import Ground
from pipeline.gateway.taking.judging import Submission

MOST_HANDSETS: Final = 300  # of one request (HTTP API 2.3.8, 4.3)
#: By the machine's clock, as a sender counts its pause: the home's may be hours ahead.
THROTTLE_SECONDS: Final = 30
REFUSED_CODE: Final = "114"  # of the fault that names none: cannot route message


class Desk:
    """The part that all ways in share."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway
        self._confirming: dict[tuple[str, str], str] = {}  # by handset and sender: which parts

    def send(
        self, way: str, api_id: str, given: Mapping[str, str], *, received: bytes
    ) -> list[Result]:
        """Take sendmsg's parameters, their names in lower case; `received` is how they came."""
        handsets = handsets_of(given)
        if not handsets or len(handsets) > MOST_HANDSETS:
            return [Result("", refusal=Refusal("101"))]
        return [self._one(way, api_id, given, each, received) for each in handsets]

    def _one(
        self, way: str, api_id: str, given: Mapping[str, str], handset: str, received: bytes
    ) -> Result:
        try:
            message = self._taken(way, api_id, given, handset)
        except Refusal as refusal:
            self._gateway.world.happen(
                EventKind.REFUSED,
                way=way,
                handset=handset,
                sender_id=given.get("from", ""),
                text=given.get("text", ""),
                client_id=given.get("climsgid", ""),
                facts={"code": refusal.code, "words": refusal.words},
                received=received,
            )
            return Result(handset, refusal=refusal)
        self._gateway.world.happen(
            EventKind.SUBMITTED,
            way=way,
            handset=handset,
            sender_id=message.given_sender,
            text=message.text,
            message_id=message.message_id,
            client_id=message.client_id,
            facts={
                "parts": message.parts,
                "shown": message.sender_id,
                "udh": given.get("udh", ""),
                "api_id": api_id,
            },
            received=received,
        )
        self._gateway.statuses.begin(message)
        return Result(handset, message=message)

    def _taken(self, way: str, api_id: str, given: Mapping[str, str], handset: str) -> Message:
        gateway = self._gateway
        self._refuse_by_fault(way, handset)
        submission = submission_from(given, handset)
        row = shown(submission.sender_id, handset, mo=submission.mo, settings=gateway.settings)
        is_rest = self._is_rest_of_confirmation(submission, row.sender_id)
        if not is_rest and gateway.consent.refuses(handset, row.sender_id):
            raise Refusal("122")
        if gateway.account.balance <= 0:
            raise Refusal("301", "No Credit Left")
        return self._kept(way, api_id, submission, row.sender_id)

    def _refuse_by_fault(self, way: str, handset: str) -> None:
        gateway = self._gateway
        rule, now = gateway.all_faults.met(Group.REFUSAL, way, handset), datetime.now(UTC)
        if rule is None or (rule.until and rule.until <= now):
            return
        gateway.tell_fault(rule, way, handset)
        if rule.name == "refuse":
            raise Refusal(rule.code or REFUSED_CODE)
        seconds = THROTTLE_SECONDS if rule.seconds is None else rule.seconds
        until = rule.until or now + timedelta(seconds=seconds)
        raise Refusal("130", f"Maximum MT limit exceeded until {int(until.timestamp())}")

    def _kept(self, way: str, api_id: str, submission: Submission, sender_id: str) -> Message:
        gateway = self._gateway
        charge = MT_CREDITS * submission.parts
        gateway.account.charge(charge, "MT")
        message = Message(
            message_id=secrets.token_hex(16),
            client_id=submission.client_id,
            api_id=api_id,
            way=way,
            handset=submission.handset,
            given_sender=submission.sender_id,
            sender_id=sender_id,
            text=submission.text,
            parts=submission.parts,
            charge=charge,
            at=gateway.clock.now(),
            callback=submission.callback,
            delay=submission.delay,
        )
        self._gateway.messages.add(message)
        if gateway.consent.confirmed(message.handset, sender_id):
            if submission.of_parts:
                self._confirming[message.handset, sender_id] = submission.of_parts
            gateway.tell_consent(message.handset, sender_id, "the customer confirmed the stop")
        return message

    def _is_rest_of_confirmation(self, submission: Submission, sender_id: str) -> bool:
        """Whether it is a later part of the message whose first part confirmed a stop."""
        confirming = self._confirming.get((submission.handset, sender_id), "")
        return bool(confirming) and confirming == submission.of_parts


def handsets_of(given: Mapping[str, str]) -> Sequence[str]:
    """The handsets of `to`, which may be several."""
    return [each for each in given.get("to", "").replace(" ", "").split(",") if each]
