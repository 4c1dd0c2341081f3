"""Mixed traffic for the benchmarks, from a seed, so that two runs measure the same work."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import MoRaw, MtRequest, Numbers
from pipeline.sms.msisdn import key_from_handset
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBER = "27123456789"
GATEWAY_ZONE = timedelta(hours=2)  # G8.3.1: GMT + 0200
NUMBERS_TOML = f"""
[[number]]
number = "{NUMBER}"
kind = "vmn"
api_id = "12345"
"""


def mixed_traffic(
    count: int, *, handsets: int, seed: int = 7, requests: bool = True, prefix: str = "2799"
) -> Iterator[tuple[str, bytes, bytes]]:
    """`count` records as (topic, key, value): texts, parts of three, repeats, stops and requests.

    Of 20: 11 one-part texts, 3 parts of one message, 1 repeat, 1 stop, 4 MT requests (or texts).
    Handsets begin with `prefix`; another prefix gives traffic that repeats nothing.
    """
    rng = random.Random(seed)
    now = datetime.now(UTC)
    last: tuple[str, bytes, bytes] | None = None
    for n in range(count):
        handset = f"{prefix}{rng.randrange(handsets):08d}"
        kind = n % 20
        if kind in (11, 12, 13):
            handset = f"{prefix}{n // 20 % handsets:08d}"
            udh = f"050003{n // 20 % 256:02x}03{kind - 10:02x}"
            item = _mo(handset, f"part {kind - 10} of a longer message ", n, now, udh=udh)
        elif kind == 14 and last is not None:
            item = last
        elif kind == 15:
            item = _mo(handset, "STOP", n, now)
        elif kind >= 16 and requests:
            request = MtRequest(
                request_id=f"bench-{seed}-{prefix}-{n}",
                to=handset,
                text="Thank you, we have got your message.",
                sender_id=NUMBER,
                requested_at=now,
            )
            item = (topics.MT_REQUEST, key_from_handset(handset), single_object.encode(request))
        else:
            item = _mo(handset, f"Here is the message text number {n}", n, now)
        last = item if item[0] == topics.MO_RAW else last
        yield item


def _mo(
    handset: str, text: str, n: int, now: datetime, *, udh: str = ""
) -> tuple[str, bytes, bytes]:
    callback = MoCallback(
        api_id="12345",
        handset=handset,
        number=NUMBER,
        timestamp=f"{now + GATEWAY_ZONE:%Y-%m-%d %H:%M:%S}",
        charset="ISO-8859-1",
        udh=udh,
        octets=text.encode("latin-1"),
        mo_msg_id=f"{n:032x}",
    )
    raw = MoRaw(
        source="http",
        received_at=now,
        method="GET",
        content_type="",
        query=http_form.render(callback),
        octets=b"",
    )
    return topics.MO_RAW, key_from_handset(handset), single_object.encode(raw)


def directory() -> Numbers:
    """The number directory of the traffic."""
    from pipeline.directory.directory import numbers_from_toml

    return numbers_from_toml(NUMBERS_TOML, origin="bench", loaded_at=datetime.now(UTC))
