"""Fetch sessions (KIP-227): a fetch and its answer name only partitions that changed.

aiokafka 0.14.0, which is pinned, has no fetch sessions: each of its fetches names every partition,
and each answer too. To write and read these was most of the work of an idle worker.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from aiokafka.protocol.fetch import FetchRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

FIRST_VERSION: Final = 7  # the first version of Fetch with sessions
BEGINS: Final = 0  # the epoch of a fetch that names everything and begins a session
LAST_EPOCH: Final = (1 << 31) - 1

Place = tuple[str, int]  # topic and partition


class FetchSession:
    """The session of one consumer with one broker: the partitions that the broker knows."""

    def __init__(self) -> None:
        self._id = 0
        self._epoch = BEGINS
        self._known: dict[Place, tuple[int, int]] = {}  # next offset, and most octets

    async def fetch(
        self, send: Callable[[FetchRequest], Awaitable[Any]], whole: FetchRequest
    ) -> Any:
        """The answer to the fetch `whole`, of which only the changes are sent."""
        epoch, known = self._epoch, self._known if self._epoch else {}
        wanted = {
            (topic, partition): (offset, octets)
            for topic, partitions in whole.topics
            for partition, offset, octets in partitions
        }
        request = _Changes(
            whole,
            changed=[(place, at) for place, at in wanted.items() if known.get(place) != at],
            forgotten=known.keys() - wanted.keys(),
            session=(self._id, epoch),
        )
        self._epoch = BEGINS  # after a failure we do not know what the broker knows
        answer = await send(request)
        if not getattr(answer, "error_code", 0):
            self._id = getattr(answer, "session_id", 0)
            if self._id:
                self._epoch = epoch % LAST_EPOCH + 1
                self._known = wanted
        return answer


class _Changes(FetchRequest):
    """The changes of the fetch `whole`; for a broker without sessions, all of `whole`."""

    def __init__(
        self,
        whole: FetchRequest,
        *,
        changed: Iterable[tuple[Place, tuple[int, int]]],
        forgotten: Iterable[Place],
        session: tuple[int, int],
    ) -> None:
        self.__dict__.update(vars(whole))
        self._whole = whole
        by_topic: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for (topic, partition), at in changed:
            by_topic[topic].append((partition, *at))
        self._topics = list(by_topic.items())
        self._forgotten: dict[str, list[int]] = defaultdict(list)
        for topic, partition in forgotten:
            self._forgotten[topic].append(partition)
        self._session = session

    def build(self, request_struct_class: Any) -> Any:
        """The request in the version of `request_struct_class`."""
        if request_struct_class.API_VERSION < FIRST_VERSION:
            return self._whole.build(request_struct_class)
        built: Any = super().build(request_struct_class)
        built.session_id, built.session_epoch = self._session
        built.forgotten_topics_data = list(self._forgotten.items())
        return built
