"""kafka-python's requests and answers over aiokafka's connections.

aiokafka 0.14.0 lacks the newer versions of some requests. kafka-python builds the messages of every
version from the definitions of Apache Kafka (`common/message/*.json`), so none is written by hand
here (deploy/decisions/0081).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import RequestHeader_v1, RequestHeader_v2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from io import BytesIO
    from typing import Self


class _AnswerReader:
    """Reads one answer, as aiokafka's connection asks a class of its own to."""

    def __init__(self, kind: Any, version: int, shape: Callable[[Any], Any]) -> None:
        self._kind, self._version, self._shape = kind, version, shape

    def decode(self, octets: BytesIO) -> Any:
        return self._shape(self._kind.decode(octets, version=self._version))


class KafkaPythonRequest:
    """What aiokafka's connection asks of a request, by a message of kafka-python's.

    `shape` makes of kafka-python's answer what the caller reads.
    """

    def __init__(
        self, message: Any, *, answer: Any, shape: Callable[[Any], Any] = lambda read: read
    ) -> None:
        self.message: Final = message
        self.API_KEY: Final[int] = message.API_KEY
        self.API_VERSION: Final[int] = message.API_VERSION
        self.RESPONSE_TYPE: Final = _AnswerReader(answer, message.API_VERSION, shape)
        self._answer = answer

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Self:
        """What to send; raises `IncompatibleBrokerVersion`: there is this version only."""
        lowest, highest = versions.get(self.API_KEY, (0, -1))
        if not lowest <= self.API_VERSION <= highest:
            raise IncompatibleBrokerVersion(
                f"{self.message.name} version {self.API_VERSION}: "
                f"the broker has {lowest} to {highest}"
            )
        return self

    def build_request_header(
        self, correlation_id: int, client_id: str
    ) -> RequestHeader_v1 | RequestHeader_v2:
        """With room for tags where the version is flexible (KIP-482)."""
        is_flexible = self.message.flexible_version_q(self.API_VERSION)
        header = RequestHeader_v2 if is_flexible else RequestHeader_v1
        return header(self, correlation_id=correlation_id, client_id=client_id)

    def encode(self) -> bytearray:
        """The request's body."""
        return self.message.encode()  # type: ignore[no-any-return]

    def parse_response_header(self, octets: BytesIO) -> Any:
        """The answer's header, read off the front."""
        return self._answer.parse_header(octets, version=self.API_VERSION)


def errors_by_topic(answer: Any) -> list[tuple[str, list[tuple[int, int]]]]:
    """The partitions of each topic with their error codes, as aiokafka reads an answer."""
    return [
        (topic.name, [(it.partition_index, it.error_code) for it in topic.partitions])
        for topic in answer.topics
    ]
