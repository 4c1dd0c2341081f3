"""One record of every class that is stored, every field filled, and Kafka records of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka.structs import ConsumerRecord

from pipeline.avro import single_object
from pipeline.records import (
    ConsentChange,
    ConsentRequest,
    CustomReply,
    DeadLetter,
    DeadLetterRetry,
    ErasedRows,
    Erasure,
    ForgetRequest,
    Header,
    KeptStop,
    MoMessage,
    MoPart,
    MoRaw,
    MtCommand,
    MtRejection,
    MtRequest,
    MtResult,
    Number,
    Numbers,
    Record,
    Scope,
)

AT = datetime(2026, 3, 4, 5, 6, 7, 891_234, tzinfo=UTC)
AT_MS = int(AT.timestamp() * 1_000)
HANDSET = "447700900001"
NUMBER = "447800100100"


def mo_message(**fields: Any) -> MoMessage:
    given: dict[str, Any] = {
        "message_id": "0" * 32,
        "handset": HANDSET,
        "number": NUMBER,
        "text": "héllo \N{GRINNING FACE}\n'\\\0end",
        "octets": b"\xff\x00\xd8\x3d",
        "charset": "UTF-16BE",
        "api_id": "3000001",
        "account": "main",
        "mo_msg_ids": ["a", ""],
        "part_ids": ["1" * 32],
        "gateway_time": AT,
        "received_at": AT + timedelta(seconds=2),
        "parts_total": 3,
        "parts_missing": [2],
        "complete": False,
        "lossy": True,
        "flags": ["review"],
        "source": "http",
        "network_id": "234/15",
    }
    return MoMessage(**given | fields)


def mt_request(**fields: Any) -> MtRequest:
    given: dict[str, Any] = {
        "request_id": "r1",
        "to": f"+{HANDSET}",
        "text": "hi",
        "requested_at": AT,
    }
    return MtRequest(**given | fields)


SAMPLES: tuple[Record, ...] = (
    MoRaw(
        source="http",
        received_at=AT,
        method="GET",
        content_type="",
        query=b"from=1&text=%FF",
        octets=b"\x00\xff",
    ),
    MoPart(
        part_id="1" * 32,
        handset=HANDSET,
        number=NUMBER,
        api_id="3000001",
        mo_msg_id="a",
        source="http",
        gateway_time=AT,
        received_at=AT,
        charset="8-BIT",
        charset_given="8-bit",
        octets=b"\xff\xfe",
        udh=b"\x05\x00\x03\x01\x02\x01",
        reference_bits=8,
        reference=1,
        parts_total=2,
        part_number=1,
        network_id="",
        flags=["unknown-api-id", "id-reused"],
        raw_partition=3,
        raw_offset=2**40,
    ),
    mo_message(),
    ConsentChange(
        change_id="2" * 32,
        handset=HANDSET,
        scope_kind="number",
        scope=NUMBER,
        state="stopped",
        gateway_state="confirmation-due",
        previous_state="open",
        previous_gateway_state="open",
        rule="stop-word",
        mo_message_id="0" * 32,
        number=NUMBER,
        at=AT,
        recorded_at=AT,
        confirmation_due_at=AT + timedelta(hours=5),
        confirmation_deadline=AT + timedelta(hours=6),
        actor="ops",
        reason="asked by letter",
    ),
    mt_request(sender_id=NUMBER, keyword="FUN", api_id="1", confirms_opt_out=True, not_after=AT),
    MtCommand(
        command_id="3" * 32,
        request_id="r1",
        purpose="reply",
        sender_id=NUMBER,
        handset=HANDSET,
        text="hi",
        mo=True,
        reply_expected=True,
        reply_note="the number is ours",
        at=AT,
        not_after=AT,
        scopes=[
            Scope(scope_kind="number", scope=NUMBER),
            Scope(scope_kind="account", scope="main"),
        ],
        api_id="3000001",
        account="main",
        keyword="",
        encoding="gsm7",
        parts=1,
        mo_message_id="",
    ),
    MtRejection(
        rejection_id="4" * 32,
        request_id="r2",
        command_id="",
        handset=HANDSET,
        sender_id=NUMBER,
        rule="opted-out",
        detail="stopped since 05:06",
        mo_message_id="0" * 32,
        caused_at=AT,
        scope_kind="number",
        scope=NUMBER,
        at=AT,
    ),
    MtResult(
        result_id="5" * 32,
        command_id="3" * 32,
        request_id="r1",
        handset=HANDSET,
        outcome="submitted",
        final=False,
        gateway_message_id="g",
        code="003",
        words="ok",
        attempt=1,
        at=AT,
    ),
    ConsentRequest(
        request_id="r3",
        handset=HANDSET,
        number=NUMBER,
        keyword="FUN",
        account="main",
        action="accept",
        mo_message_id="0" * 32,
        actor="anna",
        reason="asked by letter",
        requested_at=AT,
    ),
    ForgetRequest(
        request_id="r4",
        handset=HANDSET,
        actor="anna",
        reason="asked by letter",
        requested_at=AT,
    ),
    Erasure(
        erasure_id="8" * 32,
        suppression="9" * 64,
        key_id="a" * 16,
        request_id="r4",
        order_offset=2**40,
        at=AT,
        actor="anna",
        reason="asked by letter",
        rows=[ErasedRows(name="consents", rows=1)],
        stops=[
            KeptStop(
                scope_kind="number",
                scope=NUMBER,
                state="stopped",
                gateway_state="open",
                since=AT,
            )
        ],
    ),
    Numbers(
        loaded_at=AT,
        digest="6" * 64,
        numbers=[
            Number(
                first="44780",
                last="44789",
                kind="tagged-range",
                api_id="1",
                account="main",
                keywords=["FUN"],
                premium=False,
                mt_billed=True,
                linked=NUMBER,
                may_send=True,
                strict=False,
                extra_stop_words=["ARRET"],
                custom_replies=[
                    CustomReply(word="STOP", enabled=True, text=None, sent_by="gateway"),
                    CustomReply(word="HELP", enabled=True, text="Call us", sent_by="us"),
                ],
            )
        ],
        sender_ids=["ACME"],
    ),
    DeadLetter(
        dead_letter_id="7" * 32,
        topic="mo-raw",
        partition=2,
        offset=9,
        key=b"\xff",
        headers=[Header(name="n", value=b"\xff\x00")],
        octets=b"\xc3\x01",
        source="http",
        stage="normalise",
        reason="missing-to",
        words="to is absent",
        at=AT,
    ),
    DeadLetterRetry(
        dead_letter_id="7" * 32,
        topic="dead-letter",
        reason="missing-to",
        words="to is absent",
        actor="anna",
        at=AT,
    ),
)


def kafka_record(
    topic: str,
    value: Record | bytes | None,
    *,
    offset: int,
    partition: int = 0,
    key: bytes = b"4477",
) -> ConsumerRecord:
    """A record as the consumer hands it over."""
    octets = single_object.encode(value) if isinstance(value, Record) else value
    return ConsumerRecord(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=AT_MS,
        timestamp_type=0,
        key=key,
        value=octets,
        checksum=None,
        serialized_key_size=len(key),
        serialized_value_size=len(octets or b""),
        headers=(),
    )
