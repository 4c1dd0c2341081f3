"""Sets the metrics of the partitions that a worker owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.engine import metrics
from pipeline.engine.state.tables import time_from_due

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.engine.task import PartitionTask


def report_figures(tasks: Mapping[int, PartitionTask]) -> None:
    """Set the gauges of each partition to its present values."""
    for partition, task in tasks.items():
        metrics.WAITING.labels(partition).set(bool(task.waits_for))
        point = task.state.point
        if point.time is not None:
            metrics.TIME.labels(partition).set(point.time.timestamp())
        due = task.state.first_due()
        metrics.DUE_OLDEST.labels(partition).set(time_from_due(due).timestamp() if due else 0)
        for table, rows in task.state.sizes().items():
            metrics.ROWS.labels(table, partition).set(rows)
        for topic, records in task.intake.behind().items():
            metrics.LAG.labels(topic, partition).set(records)


def forget_figures(partition: int) -> None:
    """Remove the gauges of a partition that another worker now owns."""
    figures = (metrics.TIME, metrics.DUE_OLDEST, metrics.ROWS, metrics.LAG, metrics.WAITING)
    for gauge in figures:
        gauge.remove_by_labels({"partition": str(partition)})
