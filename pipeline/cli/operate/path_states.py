"""How each reply path stands, from what the store has of deliveries and their attempts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.stages.delivering import path as path_stage

if TYPE_CHECKING:
    from collections.abc import Callable

    #: The rows of a statement.
    Ask = Callable[[str], list[dict[str, Any]]]

PATH_COLUMNS: Final = ["path", "way", "waiting", "under_way", "oldest", "circuit"]
PATHS_ASKED: Final = """
SELECT paths.name AS path, paths.way AS way FROM
(
  SELECT arrayJoin(reply_paths) AS paths FROM
    (SELECT reply_paths FROM numbers ORDER BY loaded_at DESC, kafka_offset DESC LIMIT 1)
)
ORDER BY path"""
OPEN_ASKED: Final = """
SELECT path, countIf(state = 'waiting') AS waiting, countIf(state = 'ordered') AS under_way,
  formatDateTime(min(first), '%FT%TZ', 'UTC') AS oldest
FROM
(
  SELECT path, handset, delivery_id, state FROM delivery_now WHERE state IN ('waiting', 'ordered')
) AS open
INNER JOIN
(
  SELECT handset, delivery_id, min(at) AS first FROM mo_delivery_rows
  GROUP BY handset, delivery_id
) AS entered USING (handset, delivery_id)
GROUP BY path"""
#: The circuit of a path is open in a partition after so many failures in a row, and where nobody
#: was bound at the last attempt.
CIRCUITS_ASKED: Final = f"""
SELECT path, countIf(failures >= {path_stage.FAILURES}) AS failing,
  countIf(last = 'waiting') AS nobody FROM
(
  SELECT seen.path AS path, seen.kafka_partition AS partition,
    countIf(seen.outcome = 'failed' AND seen.kafka_offset >= taken.kafka_offset) AS failures,
    argMax(toString(seen.outcome), seen.kafka_offset) AS last
  FROM mo_delivery_result_rows AS seen
  LEFT JOIN
  (
    SELECT path, kafka_partition, max(kafka_offset) AS kafka_offset FROM mo_delivery_result_rows
    WHERE outcome = 'delivered' GROUP BY path, kafka_partition
  ) AS taken ON taken.path = seen.path AND taken.kafka_partition = seen.kafka_partition
  GROUP BY path, partition
)
GROUP BY path"""  # noqa: S608  a number of ours


def path_states(ask: Ask) -> list[dict[str, Any]]:
    """Each path of the numbers that hold, and each that has open deliveries still."""
    ways = {row["path"]: row["way"] for row in ask(PATHS_ASKED)}
    standing = {row["path"]: row for row in ask(OPEN_ASKED)}
    circuits = {row["path"]: row for row in ask(CIRCUITS_ASKED)} if ways or standing else {}
    nothing = {"waiting": 0, "under_way": 0, "oldest": ""}
    return [
        {"path": name, "way": ways.get(name, "not in numbers.toml")}
        | nothing
        | standing.get(name, {})
        | {"circuit": _circuit_of(circuits.get(name))}
        for name in sorted({*ways, *standing})
    ]


def _circuit_of(row: dict[str, Any] | None) -> str:
    if row is None or not (int(row["failing"]) or int(row["nobody"])):
        return "closed"
    if int(row["failing"]):
        return f"open in {row['failing']} partitions"
    return f"nobody bound in {row['nobody']} partitions"
