"""How the worker's partitions are shared out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import StaleMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping


class CoPartitionAssignor(RangePartitionAssignor):
    """The range assignor, but it refuses to hand out topics that it knows nothing of.

    Right after a broker's restart the leader's metadata may be empty. aiokafka's own then assigns
    nobody anything, and nothing tells the group that it should try again.
    """

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> Any:
        """As the range assignor; raises `StaleMetadata`, and then every member starts anew."""
        topics = {topic for member in members.values() for topic in member.subscription}
        unknown = sorted(topic for topic in topics if not cluster.partitions_for_topic(topic))
        if unknown:
            raise StaleMetadata(f"no partitions known of {', '.join(unknown)}")
        return super().assign(cluster, members)
