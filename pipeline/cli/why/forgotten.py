"""What is known about a forgotten handset: when, by whose order, and which stops stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.cli.ask.report_client import rows
from pipeline.cli.terminal.failure import CommandError
from pipeline.suppression_key import SuppressionKeyError, key_file, read_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

NEWEST: Final = """\
SELECT formatDateTime(at, '%FT%TZ', 'UTC') AS forgotten_at, actor, reason,
    arrayMap(stop -> concat(stop.scope_kind, ' ', stop.scope, ' since ',
        formatDateTime(stop.since, '%FT%TZ', 'UTC'), ', ours ', stop.state,
        ', the gateway''s ', stop.gateway_state), stops) AS kept
FROM erasure WHERE suppression = {suppression:String} ORDER BY at DESC, kafka_offset DESC LIMIT 1"""
ANYONE: Final = "SELECT count() AS n FROM erasure"


def lines_of_forgotten(report: str, settings: Settings, handset: str) -> Iterator[str]:
    """The handset's last erasure in words; no line if the handset was never forgotten."""
    if not rows(report, ANYONE)[0]["n"]:
        return
    try:
        key = read_key(key_file(settings))
    except SuppressionKeyError as error:
        raise CommandError(str(error)) from error
    if key is None:
        yield (
            f"handsets were forgotten, but the suppression key {key_file(settings)} is missing, so"
            " it cannot be told whether this handset is one of them"
        )
        return
    for row in rows(report, NEWEST, parameters={"suppression": key.of(handset).hex()}):
        because = f": {row['reason']}" if row["reason"] else ""
        yield f"forgotten at {row['forgotten_at']}, by order of {row['actor']}{because}"
        if not row["kept"]:
            yield "  the handset had no stops then"
            continue
        yield "  its stops are kept under a suppression, and hold until a message re-enables:"
        yield from (f"  {stop}" for stop in row["kept"])
