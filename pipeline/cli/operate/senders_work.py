"""What senders still have to do while the local stack's clock is advanced, and where it stops.

A leap of the clock must not expire what a sender that runs could have sent meanwhile, nor make a
call that is under way unknown. `deploy/decisions/0122` has the reasons.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.ask.waiting import ProgressDeadline, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    #: The rows of a query with its parameters.
    Ask = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]

#: Without a change for so long, what is open is left to the clock: a permit lasts 10 s, and the
#: sender may be without the API, or the gateway away.
PATIENCE_SECONDS: Final = 20
#: What the gateway took may have this long to be reported: then its report has a time before the
#: leap. The stand-in's comes within two seconds.
REPORT_SECONDS: Final = 4
#: Behind the next attempt of a command, so that those that follow closely need one stop.
AFTER_ATTEMPT: Final = timedelta(minutes=1)
#: One that no sender has asked for yet has no state.
OPEN_COMMANDS: Final = """
SELECT command_id, state,
  if(isNull(retry), '', formatDateTime(assumeNotNull(retry), '%FT%TZ', 'UTC')) AS retry_at
FROM (
  SELECT command_id, argMax(s.state, s.kafka_offset) AS state,
    argMax(tuple(s.retry_at), s.kafka_offset).1 AS retry
  FROM mt_state_rows AS s GROUP BY s.handset, s.command_id
  UNION ALL
  SELECT command_id, 'new', NULL FROM mt_command
  WHERE not_after > parseDateTime64BestEffort({now:String}, 3, 'UTC') AND command_id NOT IN (
    SELECT command_id FROM mt_state_rows
    UNION ALL SELECT command_id FROM mt_rejection_rows
    UNION ALL SELECT command_id FROM mt_result_rows
  )
) WHERE state IN ('new', 'waiting', 'permitted')"""
REPORTED: Final = """
SELECT count() AS n FROM mt_now
WHERE state = 'submitted' AND has({ids:Array(String)}, command_id)"""
#: A third of the time before its deadline may pass: then those that follow closely need one stop.
CONFIRMATIONS_DUE: Final = """
SELECT formatDateTime(min(due + toIntervalSecond(intDiv(dateDiff('second', due, deadline), 3))),
  '%FT%TZ', 'UTC') AS stop_at
FROM (
  SELECT
    argMax(tuple(confirmation_due_at), (recorded_at, change_id)).1 AS due_or_none,
    argMax(tuple(confirmation_deadline), (recorded_at, change_id)).1 AS deadline_or_none,
    assumeNotNull(due_or_none) AS due, assumeNotNull(deadline_or_none) AS deadline
  FROM consent_change GROUP BY handset, scope_kind, scope
  HAVING due_or_none > parseDateTime64BestEffort({now:String}, 3, 'UTC')
) HAVING count() > 0"""


class SendersWork:
    """Commands that are open, by the store. `ask` runs a query there."""

    def __init__(self, ask: Ask, *, say: Callable[[str], None]) -> None:
        self._ask = ask
        self._say = say
        self._left: set[str] = set()  # commands that nobody sent in time
        self._retries: list[datetime] = []

    def settle(self, now: datetime, *, wait_until_stored: Callable[[], None]) -> None:
        """Return when senders have done what they can do at this time, or do nothing more."""
        patience = ProgressDeadline(seconds=PATIENCE_SECONDS)
        waited_for: set[str] = set()
        while True:
            wait_until_stored()
            found = {
                row["command_id"]: row for row in self._ask(OPEN_COMMANDS, {"now": now.isoformat()})
            }
            retries = {name: _time(row["retry_at"]) for name, row in found.items()}
            self._retries = [at for at in retries.values() if at is not None and at > now]
            ready = {name for name, at in retries.items() if at is None or at <= now} - self._left
            if not ready:
                self._wait_for_reports(waited_for, wait_until_stored)
                return
            patience.saw(sorted((name, found[name]["state"]) for name in ready))
            if patience.is_over():
                self._left |= ready
                self._say(f"{_commands(ready)} not sent: nothing has happened for a while")
                return
            if not waited_for:
                self._say(f"waiting for the sender: {_commands(ready)} to be sent")
            waited_for |= ready
            pause()

    def _wait_for_reports(self, sent: set[str], wait_until_stored: Callable[[], None]) -> None:
        patience = ProgressDeadline(seconds=REPORT_SECONDS)
        while sent and not patience.is_over():
            if not int(self._ask(REPORTED, {"ids": sorted(sent)})[0]["n"]):
                return
            pause()
            wait_until_stored()

    def next_stop(self, now: datetime, target: datetime) -> datetime:
        """How far the clock may go: to the next confirmation that falls due, or next attempt."""
        rows = self._ask(CONFIRMATIONS_DUE, {"now": now.isoformat()})
        dues = [_time(row["stop_at"]) for row in rows]
        stops = [*dues, *(at + AFTER_ATTEMPT for at in self._retries)]
        return min([target, *(at for at in stops if at is not None and at > now)])


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _commands(names: set[str]) -> str:
    return "1 command" if len(names) == 1 else f"{len(names)} commands"
