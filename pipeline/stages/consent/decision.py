"""The result of a decision of consent or gate, and the settings of consent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import (
    ConsentChange,
    ConsentState,
    MoMessage,
    MtCommand,
    MtRejection,
)
from pipeline.stages.consent.row import HandsetConsent

if TYPE_CHECKING:
    from pipeline.settings import Settings

_OPEN: Final = ConsentState.OPEN.value


@dataclass(frozen=True, kw_only=True)
class ConsentRules:
    """The settings of consent."""

    lead: timedelta = timedelta(
        minutes=15
    )  # how long before the end of the six hours the default text goes out
    validity: timedelta = timedelta(hours=24)  # of an answer to HELP

    @classmethod
    def from_settings(cls, settings: Settings) -> ConsentRules:
        """The rules from the settings."""
        return cls(
            lead=timedelta(minutes=settings.confirmation_lead_minutes),
            validity=timedelta(hours=settings.mt_validity_hours),
        )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The new row, and the records to publish; `message` is the message with all its flags."""

    row: HandsetConsent | None
    changes: list[ConsentChange] = []
    commands: list[MtCommand] = []
    rejections: list[MtRejection] = []
    message: MoMessage | None = None

    @property
    def closes(self) -> bool:
        """Whether it leaves a side of a scope other than open, that was so until now."""
        last = {(change.scope_kind, change.scope): change for change in self.changes}
        return any(
            (change.state != _OPEN and change.previous_state == _OPEN)
            or (change.gateway_state != _OPEN and change.previous_gateway_state == _OPEN)
            for change in last.values()
        )
