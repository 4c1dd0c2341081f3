"""The topics, read from `schemas/topics.toml`, and the partition to which a key belongs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Final

from pipeline.avro.single_object import SCHEMAS
from pipeline.kafka.murmur2 import murmur2

MO_RAW: Final = "mo-raw"
MO_PART: Final = "mo-part"
MO_MESSAGE: Final = "mo-message"
CONSENT_CHANGE: Final = "consent-change"
MT_REQUEST: Final = "mt-request"
MT_COMMAND: Final = "mt-command"
MT_REJECTION: Final = "mt-rejection"
MT_RESULT: Final = "mt-result"
MT_ASK: Final = "mt-ask"
MT_STATE: Final = "mt-state"
CONSENT_REQUEST: Final = "consent-request"
FORGET_REQUEST: Final = "forget-request"
ERASURE: Final = "erasure"
MO_DELIVERY: Final = "mo-delivery"
MO_DELIVERY_RESULT: Final = "mo-delivery-result"
DELIVERY_REQUEST: Final = "delivery-request"
ACCOUNT_CHARGE: Final = "account-charge"
ACCOUNT_CREDIT: Final = "account-credit"
ACCOUNT_ENTRY: Final = "account-entry"
ACCOUNT_RELEASE: Final = "account-release"
ACCOUNT_NOTICE: Final = "account-notice"
NUMBERS: Final = "numbers"
CLOCK: Final = "clock"
DEAD_LETTER: Final = "dead-letter"
DEAD_LETTER_RETRY: Final = "dead-letter-retry"
REPORT_ACCESS: Final = "report-access"
CONVERSATION_CHANGELOG: Final = "conversation-changelog"
DELIVERY_CHANGELOG: Final = "delivery-changelog"
ACCOUNTS_CHANGELOG: Final = "accounts-changelog"


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic. `record` is empty for a changelog, whose format only the engine knows."""

    name: str
    record: str = ""
    key: str
    max_message_octets: int
    log_append_time: bool = False
    retention_days: int = -1
    compacted: bool = False
    compaction_lag_hours: int = 0
    tombstones_hours: int = 0

    @property
    def config(self) -> dict[str, str]:
        """The broker's settings of the topic (Kafka topic configs)."""
        config = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "message.timestamp.type": "LogAppendTime" if self.log_append_time else "CreateTime",
            "max.message.bytes": str(self.max_message_octets),
            "compression.type": "uncompressed",
        }
        if not self.compacted:
            days = self.retention_days
            config["retention.ms"] = str(days * 86_400_000 if days > 0 else -1)
        else:
            lag_ms = str(self.compaction_lag_hours * 3_600_000)
            config["max.compaction.lag.ms"] = lag_ms
            config["segment.ms"] = lag_ms  # Kafka never compacts the active segment
            config["delete.retention.ms"] = str(self.tombstones_hours * 3_600_000)
        return config


@cache
def topics() -> dict[str, Topic]:
    """Every topic by name."""
    with (SCHEMAS / "topics.toml").open("rb") as file:
        return {name: Topic(name=name, **fields) for name, fields in tomllib.load(file).items()}


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of `key` by Kafka's default partitioner: murmur2, sign bit off, modulo."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
