"""What a line of mo.log is published as."""

from __future__ import annotations

import pytest

from ingest.common.log_lines import outgoing_from_line
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import DeadLetter, MoRaw
from pipeline.wire.mo_log import Overlong, render
from tests.support.mo import HANDSET, NOON, callback


def test_a_line_is_a_raw_event_of_its_own_octets() -> None:
    line = render(callback("a b", mo_msg_id="1"))
    one = outgoing_from_line(line, now=NOON)
    assert one is not None
    assert isinstance(one.record, MoRaw)
    assert (one.topic, one.key, one.record.source) == (MO_RAW, HANDSET.encode(), "ftp")
    assert one.record.octets == line


@pytest.mark.parametrize(
    ("line", "octets", "reason"),
    [
        pytest.param(b"t\t1\t2\t%zz", b"t\t1\t2\t%zz", "broken-percent-encoding", id="broken"),
        pytest.param(Overlong(b"xx"), b"xx", "unreadable-record", id="overlong"),
    ],
)
def test_a_refused_line_is_a_dead_letter(
    line: bytes | Overlong, octets: bytes, reason: str
) -> None:
    one = outgoing_from_line(line, now=NOON)
    assert one is not None
    assert isinstance(one.record, DeadLetter)
    assert (one.topic, one.record.source, one.record.reason) == (DEAD_LETTER, "ftp", reason)
    assert one.record.octets == octets


def test_a_blank_line_is_nothing() -> None:
    assert outgoing_from_line(b" ", now=NOON) is None
