"""The description of the topics (AsyncAPI 3.0.0), made from `schemas/` and the lists of readers.

`python -m tests.contract.documents` writes it to `docs/asyncapi.yaml`.
"""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, Final

from pipeline.avro.single_object import SCHEMAS
from pipeline.kafka import readers
from pipeline.kafka.topics import topics
from tests.contract.schema_files import versions_by_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.kafka.topics import Topic
    from tests.contract.schema_files import Version

JsonObject = dict[str, Any]

AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
BINDING: Final = "0.5.0"
#: The process of each consumer group.
PROCESS_OF: Final = {
    readers.CONVERSATION: "worker",
    readers.STORE: "store",
    readers.SENDER: "sender",
    readers.DELIVERY: "deliver",
    readers.ACCOUNTS: "accounts",
    readers.NOTICE_MAIL: "sender",
}
PROCESSES: Final = {
    "ingest": "Takes callbacks and requests by HTTP (docs/openapi.yaml).",
    "smpp": "Takes messages and receipts from the gateway's SMPP server.",
    "ftp": "Reads mo.log at the gateway.",
    "worker": "Joins parts, keeps consent, judges requests, permits attempts.",
    "sender": "Sends commands by the gateway's APIs.",
    "deliver": "Hands messages and events on to applications (docs/reply-paths.md).",
    "accounts": "Keeps the ledger of each account, and releases held messages.",
    "store": "Fills ClickHouse, and writes what people decide in the report.",
    "twoway": "The command line.",
}
KEYS: Final = {
    "handset": "The handset's digits; the partition by murmur2.",
    "partition": "None: one record a partition.",
    "suppression": "The suppression in hex; the partition is the handset's.",
    "account": "The account; the partition by murmur2.",
    "home": "None: the partition in which the message is held.",
    "none": "None: spread over the partitions.",
}


def asyncapi_document() -> JsonObject:
    """The whole document."""
    described = [topic for topic in topics().values() if topic.record]
    versions = versions_by_record()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Two-way topics",
            "version": "1",
            "description": (
                "What Two-way keeps in Kafka. A value is in Avro single-object encoding: C3 01, the"
                " fingerprint of the writer's schema in 8 octets, the body; `x-fingerprint` of a"
                " message is these 8 octets in hex. There is no registry: the schema files are it."
                " Where traces are on, a record has the headers of W3C Trace Context, else none."
                " Read with isolation.level=read_committed. In examples"
                " octets are hex, and times are ISO 8601."
            ),
        },
        "defaultContentType": "avro/binary",
        "servers": {
            "local": {
                "host": "127.0.0.1:9092",
                "protocol": "kafka",
                "description": "The stack of `twoway up`.",
            }
        },
        "channels": {topic.name: _channel(topic, versions[topic.record]) for topic in described},
        "operations": {
            name: operation for topic in described for name, operation in _operations(topic)
        },
        "components": {
            "messages": {
                _key(version): _message(topic, version)
                for topic in described
                for version in versions[topic.record]
            },
            "tags": {
                name: {"name": name, "description": words} for name, words in PROCESSES.items()
            },
        },
    }


def _key(version: Version) -> str:
    return f"{version.record}.{version.number}"


def _channel(topic: Topic, versions: list[Version]) -> JsonObject:
    kept = f"for {topic.retention_days} days" if topic.retention_days > 0 else "for good"
    stamped = "the broker's" if topic.log_append_time else "the writer's"
    return {
        "address": topic.name,
        "description": f"{versions[-1].schema['doc']} Kept {kept}. Record times are {stamped}.",
        "messages": {
            _key(each): {"$ref": f"#/components/messages/{_key(each)}"} for each in versions
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [topic.config["cleanup.policy"]],
                    "retention.ms": int(topic.config["retention.ms"]),
                    "max.message.bytes": topic.max_message_octets,
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _operations(topic: Topic) -> Iterator[tuple[str, JsonObject]]:
    """Who writes the topic, and who reads it."""
    for process, written in readers.WRITTEN_BY.items():
        if topic.name in written:
            yield f"{process}-writes-{topic.name}", _operation(topic, "send", process)
    for group, read in readers.READ_BY.items():
        if topic.name in read:
            process = PROCESS_OF[group]
            own = {"groupId": {"type": "string", "const": group}, "bindingVersion": BINDING}
            operation = _operation(topic, "receive", process) | {"bindings": {"kafka": own}}
            yield f"{process}-reads-{topic.name}", operation
    if topic.name in readers.TAILED:
        yield f"ingest-reads-{topic.name}", _operation(topic, "receive", "ingest")


def _operation(topic: Topic, action: str, process: str) -> JsonObject:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "tags": [{"$ref": f"#/components/tags/{process}"}],
    }


def _message(topic: Topic, version: Version) -> JsonObject:
    schema = version.schema
    released = tomllib.loads((SCHEMAS / "released.toml").read_text())
    folder = SCHEMAS / "examples" / version.record / str(version.number)
    return {
        "name": schema["name"],
        "title": f"{schema['name']}, version {version.number}",
        "summary": schema["doc"],
        "contentType": "avro/binary",
        "payload": {
            "schemaFormat": AVRO,
            "schema": {"$ref": f"../schemas/{version.record}/{version.number}.avsc"},
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": KEYS[topic.key]},
                "bindingVersion": BINDING,
            }
        },
        "examples": [
            {"name": path.stem, "payload": json.loads(path.read_text())}
            for path in sorted(folder.glob("*.json"))
        ],
        "x-fingerprint": released[str(version)]["fingerprint"],
    }
