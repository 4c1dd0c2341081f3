"""Reads the recorded messages and orders from ClickHouse, one handset after the other."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.cli.ask.report_client import rows
from pipeline.cli.replay.states import Recorded, time_of_record
from pipeline.records import ConsentRequest, MoMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = 20_000
# All messages of a handset are in one partition, so the offset is their order of arrival.
MESSAGES: Final = """\
SELECT handset, kafka_partition, kafka_offset, message_id, number, text, charset, complete, lossy,
    flags, account, source,
    formatDateTime(gateway_time, '%FT%T.%fZ', 'UTC') AS gateway_time_iso,
    formatDateTime(received_at, '%FT%T.%fZ', 'UTC') AS received_at_iso
FROM mo_message
WHERE (handset, kafka_partition, kafka_offset) >
    ({handset:String}, {partition:Int32}, {offset:Int64})
ORDER BY handset, kafka_partition, kafka_offset LIMIT {page:UInt32}"""
# An order that went to a wrong partition first is there twice, and counts once.
ORDERS: Final = """\
SELECT request_id, handset, number, keyword, account, action, mo_message_id, actor, reason,
    formatDateTime(requested_at, '%FT%T.%fZ', 'UTC') AS requested_at_iso
FROM consent_request
WHERE action != 'dismiss' AND handset IN
    (SELECT handset FROM mo_message WHERE handset >= {first:String} AND handset <= {last:String})
ORDER BY handset, requested_at, kafka_offset LIMIT 1 BY request_id"""
_NOT_READ: Final[dict[str, Any]] = {
    "octets": b"",
    "api_id": "",
    "mo_msg_ids": [],
    "part_ids": [],
    "parts_total": 1,
    "parts_missing": [],
    "network_id": "",
}


def recorded_by_handset(report: str) -> Iterator[tuple[str, list[Recorded]]]:
    """Every handset that ever sent a message, with its messages and orders in order of arrival."""
    orders: dict[str, list[ConsentRequest]] = {}
    for handset, found in groupby(_message_rows(report, orders), key=itemgetter("handset")):
        messages = [
            _record_from(row | _NOT_READ, MoMessage, "gateway_time", "received_at") for row in found
        ]
        yield handset, merged(messages, orders.pop(handset, []))


def merged(messages: list[MoMessage], orders: list[ConsentRequest]) -> list[Recorded]:
    """Messages and orders in one list: an order comes before the first message received later."""
    left = sorted(orders, key=time_of_record)
    found: list[Recorded] = []
    for message in messages:
        while left and left[0].requested_at <= message.received_at:
            found.append(left.pop(0))
        found.append(message)
    return [*found, *left]


def _message_rows(report: str, orders: dict[str, list[ConsentRequest]]) -> Iterator[dict[str, Any]]:
    """The rows of all messages, page by page.

    Before the rows of a page, `orders` gets the orders of the handsets of that page.
    """
    place: dict[str, Any] = {"handset": "", "partition": -1, "offset": -1}
    while page := rows(report, MESSAGES, parameters=place | {"page": PAGE}):
        bounds = {"first": page[0]["handset"], "last": page[-1]["handset"]}
        found = rows(report, ORDERS, parameters=bounds)
        for handset, given in groupby(found, key=itemgetter("handset")):
            orders[handset] = [_record_from(row, ConsentRequest, "requested_at") for row in given]
        yield from page
        last = page[-1]
        place = {
            "handset": last["handset"],
            "partition": last["kafka_partition"],
            "offset": last["kafka_offset"],
        }


def _record_from(row: dict[str, Any], kind: Any, *times: str) -> Any:
    given = {name: row[f"{name}_iso"] for name in times}
    return msgspec.convert(row | given, kind)
