"""Assigns the partitions to the workers of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import StaleMetadata

if TYPE_CHECKING:
    from collections.abc import Mapping


class CoPartitionAssignor(RangePartitionAssignor):
    """The range assignor, except that it refuses to assign topics without metadata.

    Right after a broker's restart the leader's metadata may be empty. aiokafka's assignor then
    assigns nothing to anybody, and the group does not try again.
    """

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> Any:
        """Assign like the range assignor; after `StaleMetadata` every member joins again."""
        topics = {topic for member in members.values() for topic in member.subscription}
        unknown = sorted(topic for topic in topics if not cluster.partitions_for_topic(topic))
        if unknown:
            raise StaleMetadata(f"no partitions known of {', '.join(unknown)}")
        return super().assign(cluster, members)
