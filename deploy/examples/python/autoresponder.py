"""An autoresponder: who texts HOURS gets the opening hours.

It needs the schema files, fastavro and a Kafka client, and nothing else of Two-way. Killed at any
moment and started again, it sends no answer twice: the id of a request follows from the message.
"""

import io
import json
import os
import time
import tomllib
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaException

KAFKA = os.environ.get("KAFKA", "127.0.0.1:9092")
INGEST = os.environ.get("INGEST", "http://127.0.0.1:8080")
SCHEMAS = Path(os.environ.get("SCHEMAS", Path(__file__).parents[3] / "schemas"))
ANSWERS = {"HOURS": "We are open from 9 to 17, Monday to Friday."}


def login() -> dict[str, str]:
    """How to log in to Kafka: KAFKA_SASL_USERNAME is sasl.username, and so on.

    KAFKA_SASL_PASSWORD_FILE names the file that holds sasl.password.
    """
    given = {name: text for name, text in os.environ.items() if name.startswith("KAFKA_")}
    if file := given.pop("KAFKA_SASL_PASSWORD_FILE", ""):
        given["KAFKA_SASL_PASSWORD"] = Path(file).read_text().rstrip("\n")
    names = {name: name.removeprefix("KAFKA_").lower().replace("_", ".") for name in given}
    return {names[name]: text for name, text in given.items()}


def schemas_by_fingerprint(record: str) -> dict[bytes, Any]:
    """Every released version of a record, by the 8 octets that name it in a value."""
    released = tomllib.loads((SCHEMAS / "released.toml").read_text())
    return {
        bytes.fromhex(version["fingerprint"]): fastavro.parse_schema(
            json.loads((SCHEMAS / f"{name}.avsc").read_text())
        )
        for name, version in released.items()
        if name.startswith(f"{record}/")
    }


def read_value(value: bytes, schemas: dict[bytes, Any]) -> Any:
    """Avro single-object encoding: C3 01, the fingerprint, the body."""
    if value[:2] != b"\xc3\x01" or value[2:10] not in schemas:
        raise ValueError("no schema of ours: take the schema files of the release that runs")
    return fastavro.schemaless_reader(io.BytesIO(value[10:]), schemas[value[2:10]], None)


def ask_for_mt(message: Any, text: str) -> None:
    """Ask for an answer; asking again with the same id and content changes nothing.

    Whether the answer may be sent is Two-way's to decide: after a STOP it is not.
    """
    asked = {
        "to": message["handset"],
        "from": message["number"],
        "text": text,
        # Nobody waits for the answer to what was asked long ago.
        "not_after": (message["received_at"] + timedelta(hours=1)).isoformat(),
    }
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": f"autoresponder-{message['message_id']}",
    }
    request = urllib.request.Request(f"{INGEST}/mt", json.dumps(asked).encode(), headers)
    while True:
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            if error.code == 409:  # asked before, in other words: it has its answer
                return
            if error.code != 503:
                raise
            time.sleep(int(error.headers.get("Retry-After", "5")))
        except OSError:  # nobody knows whether it was taken: so ask again
            time.sleep(1)
        else:
            return


def main() -> None:
    """Read, answer, and only then move on."""
    schemas = schemas_by_fingerprint("mo_message")
    consumer = Consumer(
        login()
        | {
            "bootstrap.servers": KAFKA,
            "group.id": "autoresponder",
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 6000,
        }
    )
    consumer.subscribe(["mo-message"])
    try:
        while True:
            record = consumer.poll(1.0)
            if record is None:
                continue
            if record.error():
                raise KafkaException(record.error())
            message = read_value(record.value(), schemas)
            answer = ANSWERS.get(message["text"].strip().upper())
            if answer and message["complete"]:
                ask_for_mt(message, answer)
            consumer.commit(record, asynchronous=False)
    except KeyboardInterrupt:
        pass
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
