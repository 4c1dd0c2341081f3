"""Kafka's requests of transactions V2 (KIP-890), which aiokafka 0.14.0 does not have.

The fields follow the message definitions in Apache Kafka 4.3 (`common/message/*.json`). These
versions are flexible (KIP-482): they have compact lengths, and tags at the end of each structure.
We send no tags, and read one.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import RequestStruct, Response, ResponseHeader_v0
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactBytes,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

_TEXT: Final = CompactString("utf-8")
_NO_TAGS: Final = b"\0"
_FINALIZED_FEATURES_TAG: Final = 2


class _Tagged(Schema):
    """A structure without tags when sent, whose tags are ignored when read."""

    def encode(self, item: Sequence[Any]) -> bytes:
        return bytes(super().encode(item)) + _NO_TAGS

    def decode(self, data: BytesIO) -> tuple[Any, ...]:
        values: tuple[Any, ...] = super().decode(data)
        TaggedFields.decode(data)
        return values


_ERRORS: Final = CompactArray(
    _Tagged(
        ("topic", _TEXT),
        ("partitions", CompactArray(_Tagged(("partition", Int32), ("error_code", Int16)))),
    )
)


class _OneVersion:
    """A request in the only version that we have. aiokafka asks it for a version of the broker."""

    API_KEY: int
    API_VERSION: int

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Self:
        """The request to send; raises `IncompatibleBrokerVersion`."""
        lowest, highest = versions.get(self.API_KEY, (0, -1))
        if not lowest <= self.API_VERSION <= highest:
            raise IncompatibleBrokerVersion(
                f"{type(self).__name__} version {self.API_VERSION}: "
                f"the broker has {lowest} to {highest}"
            )
        return self


class ProduceAnswer(Response):
    API_KEY = 0
    API_VERSION = 12
    SCHEMA = _Tagged(
        (
            "topics",
            CompactArray(
                _Tagged(
                    ("topic", _TEXT),
                    (
                        "partitions",
                        CompactArray(
                            _Tagged(
                                ("partition", Int32),
                                ("error_code", Int16),
                                ("offset", Int64),
                                ("timestamp", Int64),
                                ("log_start_offset", Int64),
                                (
                                    "record_errors",
                                    CompactArray(_Tagged(("index", Int32), ("message", _TEXT))),
                                ),
                                ("error_message", _TEXT),
                            )
                        ),
                    ),
                )
            ),
        ),
        ("throttle_time_ms", Int32),
    )


class Produce(_OneVersion, RequestStruct):
    """Writes records; the broker adds their partitions to the transaction."""

    FLEXIBLE_VERSION = True
    API_KEY = 0
    API_VERSION = 12
    RESPONSE_TYPE = ProduceAnswer
    SCHEMA = _Tagged(
        ("transactional_id", _TEXT),
        ("required_acks", Int16),
        ("timeout", Int32),
        (
            "topics",
            CompactArray(
                _Tagged(
                    ("topic", _TEXT),
                    (
                        "partitions",
                        CompactArray(_Tagged(("partition", Int32), ("records", CompactBytes))),
                    ),
                )
            ),
        ),
    )


class TxnOffsetCommitAnswer(Response):
    API_KEY = 28
    API_VERSION = 5
    SCHEMA = _Tagged(("throttle_time_ms", Int32), ("errors", _ERRORS))


class TxnOffsetCommit(_OneVersion, RequestStruct):
    """Commits offsets; the broker adds the group to the transaction."""

    FLEXIBLE_VERSION = True
    API_KEY = 28
    API_VERSION = 5
    RESPONSE_TYPE = TxnOffsetCommitAnswer
    SCHEMA = _Tagged(
        ("transactional_id", _TEXT),
        ("group_id", _TEXT),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation_id", Int32),
        ("member_id", _TEXT),
        ("group_instance_id", _TEXT),
        (
            "topics",
            CompactArray(
                _Tagged(
                    ("topic", _TEXT),
                    (
                        "partitions",
                        CompactArray(
                            _Tagged(
                                ("partition", Int32),
                                ("offset", Int64),
                                ("leader_epoch", Int32),
                                ("metadata", _TEXT),
                            )
                        ),
                    ),
                )
            ),
        ),
    )


class EndTxnAnswer(Response):
    """The answer to EndTxn, with producer id and epoch of the next transaction."""

    API_KEY = 26
    API_VERSION = 5
    SCHEMA = _Tagged(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
    )


class EndTxn(_OneVersion, RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 26
    API_VERSION = 5
    RESPONSE_TYPE = EndTxnAnswer
    SCHEMA = _Tagged(
        ("transactional_id", _TEXT),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("committed", Boolean),
    )


class ApiVersionsAnswer(Response):
    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "api_versions",
            CompactArray(_Tagged(("api_key", Int16), ("lowest", Int16), ("highest", Int16))),
        ),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )


class ApiVersions(_OneVersion, RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 18
    API_VERSION = 3
    RESPONSE_TYPE = ApiVersionsAnswer
    SCHEMA = _Tagged(("client_software_name", _TEXT), ("client_software_version", _TEXT))

    def parse_response_header(self, read_buffer: BytesIO | bytes) -> ResponseHeader_v0:
        """The header has no tags, so that a client can read the answer of any broker (KIP-511)."""
        return ResponseHeader_v0.decode(read_buffer)


_FEATURES: Final = CompactArray(
    _Tagged(("name", _TEXT), ("highest_level", Int16), ("lowest_level", Int16))
)


def finalized_features(answer: ApiVersionsAnswer) -> dict[str, int]:
    """The finalised level of each feature of the cluster."""
    told = answer.tags.get(_FINALIZED_FEATURES_TAG)
    if told is None:
        return {}
    return {name: highest for name, highest, _ in _FEATURES.decode(BytesIO(told))}
