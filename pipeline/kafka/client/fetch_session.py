"""A fetch session (KIP-227): a fetch names what changed since the last, and so does its answer.

aiokafka 0.14.0, which is pinned, begins none: each of its fetches names every partition, and each
answer too. Writing and reading those was most of what an idle worker did.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from aiokafka.protocol.fetch import FetchRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

FIRST_VERSION: Final = 7  # of Fetch, that knows sessions
BEGINS: Final = 0  # as an epoch: everything is named, and a session begins
LAST_EPOCH: Final = (1 << 31) - 1

Place = tuple[str, int]  # topic and partition


class FetchSession:
    """What one broker knows of the partitions that one consumer fetches from it."""

    def __init__(self) -> None:
        self._id = 0
        self._epoch = BEGINS
        self._known: dict[Place, tuple[int, int]] = {}  # next offset, and most octets

    async def fetch(
        self, send: Callable[[FetchRequest], Awaitable[Any]], whole: FetchRequest
    ) -> Any:
        """The answer to `whole`, of which no more is sent than the broker does not know."""
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
        self._epoch = BEGINS  # what fails, or is cancelled, leaves open what the broker knows
        answer = await send(request)
        if not getattr(answer, "error_code", 0):
            self._id = getattr(answer, "session_id", 0)
            if self._id:
                self._epoch = epoch % LAST_EPOCH + 1
                self._known = wanted
        return answer


class _Changes(FetchRequest):
    """`whole` for a broker that knows all but the changes; as it is for one without sessions."""

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
        """The request in one of its versions."""
        if request_struct_class.API_VERSION < FIRST_VERSION:
            return self._whole.build(request_struct_class)
        built: Any = super().build(request_struct_class)
        built.session_id, built.session_epoch = self._session
        built.forgotten_topics_data = list(self._forgotten.items())
        return built
