"""What consent and gate decide, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pipeline.records import ConsentChange, MoMessage, MtCommand, MtRejection
from pipeline.stages.consent.row import HandsetConsent

if TYPE_CHECKING:
    from pipeline.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ConsentRules:
    """What can be set about consent."""

    lead: timedelta = timedelta(
        minutes=15
    )  # the default text goes out so long before the six hours end
    validity: timedelta = timedelta(hours=24)  # of an answer to HELP

    @classmethod
    def from_settings(cls, settings: Settings) -> ConsentRules:
        """The rules as the settings have them."""
        return cls(
            lead=timedelta(minutes=settings.confirmation_lead_minutes),
            validity=timedelta(hours=settings.mt_validity_hours),
        )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The row from now on, and what to publish; `message` is the message as it is to be said."""

    row: HandsetConsent | None
    changes: list[ConsentChange] = []
    commands: list[MtCommand] = []
    rejections: list[MtRejection] = []
    message: MoMessage | None = None
