"""In doubt a stop counts and an opening does not, from the callback to the MT sent or refused."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import quote_from_bytes

import pytest
from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from pipeline.kafka import topics
from tests.ingest.smpp.process import smpp_process
from tests.ingest.smpp.smsc import Smsc
from tests.support.mo import timestamp
from tests.support.rented_numbers import ANN, API_ID, SHARED
from tests.wire.smpp.test_callback import UDHI, pdu_of

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

STOP, DUE = b"STOP", "opted-out"
UTF_16 = "UTF-16BE"


def utf_16(text: str) -> bytes:
    return text.encode("utf-16-be")


def judged(outside, handset) -> str:
    """The rule that refuses an MT that is requested now; "" when the MT is sent."""
    return outside.decided(outside.ask_mt(to=handset, text="an offer")).get("rule", "")


def last_of(outside, handset, count):
    """The last of `count` messages of a handset."""
    rows = outside.rows("mo_message", handset, at_least=count, order="received_at")
    assert len(rows) == count
    return rows[-1]


def send(outside, handset, octets, **fields):
    outside.deliver(outside.callback(handset, octets, **fields))


IMPLAUSIBLE, UNREADABLE = ["timestamp-implausible"], ["timestamp-unreadable"]
UNEXPECTED, UNKNOWN, SWAPPED = ["unexpected-charset"], ["unknown-charset"], ["byte-order-swapped"]
CALLED_UTF_16, CALLED_LATIN_1 = {"charset": UTF_16}, {"charset": "ISO-8859-1"}
DOTLESS = "\u0131"

#: What is a stop, however it was said: its octets, its fields, its flags.
STOPS = {
    "clock-1970": (STOP, {"timestamp": "1970-01-01 02:00:00"}, IMPLAUSIBLE),
    "clock-22-hours-ago": (STOP, {"minutes": "-1320"}, IMPLAUSIBLE),
    "clock-ahead": (STOP, {"minutes": "180"}, []),
    "clock-year-1": (STOP, {"timestamp": "0001-01-01 00:00:00"}, UNREADABLE),
    "mark-swapped": (bytes.fromhex("fffe530054004f005000"), CALLED_UTF_16, SWAPPED),
    "mark-utf-8": (b"\xef\xbb\xbfSTOP", CALLED_LATIN_1, UNEXPECTED),
    "swapped-no-mark": ("STOP".encode("utf-16-le"), CALLED_UTF_16, UNEXPECTED),
    "charset-utf-8": (STOP, {"charset": "UTF-8"}, UNEXPECTED),
    "charset-8-bit": (STOP, {"charset": "8-BIT"}, []),
    "charset-8-bit-of-utf-16": (utf_16("STOP"), {"charset": "8-BIT"}, []),
    "charset-ebcdic": ("STOP".encode("cp037"), {"charset": "IBM037"}, UNEXPECTED),
    "charset-nobody-knows": (STOP, {"charset": "no-such"}, UNKNOWN),
    "ascii-called-utf-16": (STOP, CALLED_UTF_16, UNEXPECTED),
    "i-with-a-dot": (utf_16("UNSUBSCRİBE"), CALLED_UTF_16, []),
    "i-without-a-dot": (utf_16(f"unsubscr{DOTLESS}be"), CALLED_UTF_16, []),
    "invisible-3164": (utf_16("ST\u3164OP"), CALLED_UTF_16, []),
    "invisible-034f": (utf_16("S\u034fTOP"), CALLED_UTF_16, []),
    "invisible-tag": (utf_16("ST\U000e0001OP"), CALLED_UTF_16, []),
}

#: What may be a stop: its octets and fields.
REVIEWS = {
    "arabic": (utf_16("قف"), CALLED_UTF_16),
    "arabic-utf-8-called-latin-1": ("قف".encode(), CALLED_LATIN_1),
    "revoke": (b"REVOKE", {}),
    "opt-out": (b"opt out", {}),
    "arret": (b"ARRET", {}),
    "leave-me-alone": (b"Leave me alone!", {}),
    "hex-called-latin-1": (b"53544f50", CALLED_LATIN_1),
    "hex-of-utf-16-called-latin-1": (b"00530054004F0050", CALLED_LATIN_1),
    "hex-called-utf-16": (utf_16("53544f50"), CALLED_UTF_16),
    "ebcdic-called-latin-1": ("STOP".encode("cp037"), CALLED_LATIN_1),
}

#: What re-enables, and what is too doubtful to: its octets and fields, its text, its flags.
ANSWERS = {
    "windows-1252": (b"Don\x92t pay \x8015", CALLED_LATIN_1, "Don\u2019t pay €15", []),
    "chinese-of-ascii-octets": (utf_16("好"), CALLED_UTF_16, "好", []),
    "japanese-of-ascii-octets": (utf_16("はい"), CALLED_UTF_16, "はい", []),
    "accent-like-packed-septets": (b"s\xec", CALLED_LATIN_1, "sì", []),
    "doubt-charset-utf-8": ("café".encode(), {"charset": "UTF-8"}, "café", UNEXPECTED),
    "doubt-swapped-no-mark": ("ok".encode("utf-16-le"), CALLED_UTF_16, "漀欀", UNEXPECTED),
    "doubt-ascii-called-utf-16": (b"Hello!", CALLED_UTF_16, "䡥汬漡", UNEXPECTED),
}


class Told(NamedTuple):
    """A handset, its two messages, and the MT that was requested after them."""

    handset: str
    request_id: str


@pytest.fixture(scope="module")
def told(outside):
    """Every row of the tables at once; each handset sent another message a minute before."""

    def tell(before, octets, fields) -> Told:
        handset = outside.new_handset()
        send(outside, handset, before, minutes="-1")
        send(outside, handset, octets, **fields)
        return Told(handset, outside.ask_mt(to=handset, text="an offer"))

    stops = {name: tell(b"Hello", *row[:2]) for name, row in STOPS.items()}
    open_ = {f"open-{name}": tell(b"Hello", *row) for name, row in REVIEWS.items()}
    stopped = {f"stopped-{name}": tell(STOP, *row) for name, row in REVIEWS.items()}
    return stops | open_ | stopped | {name: tell(STOP, *row[:2]) for name, row in ANSWERS.items()}


def rule_of(outside, told) -> str:
    return outside.decided(told.request_id).get("rule", "")


@pytest.mark.parametrize("name", STOPS)
def test_a_stop_in_doubt_refuses_the_next_mt(outside, told, name):
    assert rule_of(outside, told[name]) == DUE
    assert last_of(outside, told[name].handset, 2)["flags"] == STOPS[name][2]


@pytest.mark.parametrize("name", REVIEWS)
def test_what_may_be_a_stop_is_put_to_review_and_opens_nothing(outside, told, name):
    assert rule_of(outside, told[f"open-{name}"]) == ""
    assert rule_of(outside, told[f"stopped-{name}"]) == DUE
    for state in ("open", "stopped"):
        assert "review" in last_of(outside, told[f"{state}-{name}"].handset, 2)["flags"]


@pytest.mark.parametrize("name", ANSWERS)
def test_an_ordinary_answer_re_enables_and_one_in_doubt_does_not(outside, told, name):
    _, _, text, flags = ANSWERS[name]
    assert rule_of(outside, told[name]) == (DUE if flags else "")
    message = last_of(outside, told[name].handset, 2)
    assert (message["text"], message["flags"]) == (text, flags)


@pytest.mark.parametrize(
    ("text", "charset", "read"),
    [
        pytest.param(b"J\xe9r\xf4me", "ISO-8859-1", "Jérôme", id="octets-in-the-packets-charset"),
        pytest.param(b"&#55357;&#56832;", UTF_16, "\U0001f600", id="surrogate-pair"),
        pytest.param(b"STOP\xa0", "ISO-8859-1", "STOP\xa0", id="stop-with-such-a-blank"),
    ],
)
def test_xml_by_the_letter_is_taken_and_flagged(outside, handset, text, charset, read):
    packet = b"<clickmo><from>%b</from><to>%b</to><text>%b</text><charset>%b</charset></clickmo>"
    filled = packet % (handset.encode(), ANN.encode(), text, charset.encode())
    answer = outside.http.post(
        f"{outside.ingest}/mo/xml",
        content=b"data=" + quote_from_bytes(filled).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200
    assert judged(outside, handset) == (DUE if read.startswith("STOP") else "")
    message = last_of(outside, handset, 1)
    assert (message["text"], message["flags"]) == (read, ["repaired"])


def test_a_form_of_another_kind_is_taken(outside, handset):
    fields = {"from": (None, handset), "to": (None, ANN), "text": (None, "STOP")}
    assert outside.http.post(f"{outside.ingest}/mo/http", files=fields).status_code == 200
    assert judged(outside, handset) == DUE


def test_retries_without_an_id_are_one_message(outside, handset):
    for _ in range(3):
        send(outside, handset, b"hi", mo_msg_id="", timestamp="2026-11-28T02:00:00")
    judged(outside, handset)
    assert last_of(outside, handset, 1)["flags"] == ["timestamp-unreadable"]


def test_a_handset_that_cannot_be_sent_to_is_put_to_review(outside):
    handset = outside.new_handset().replace("44", "0", 1)
    send(outside, handset, STOP)
    assert outside.rows("mo_message", handset)[0]["flags"] == ["not-international", "review"]


@asynccontextmanager
async def gateway(outside, folder):
    """A gateway to which our receiver is bound."""
    smsc = Smsc()
    server = await asyncio.start_server(smsc.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with smpp_process(folder, outside.running.stack.kafka, port, home=outside.running.home):
            yield await smsc.bound()
            smsc.end()
    finally:
        smsc.end()
        server.close()
        await server.wait_closed()


DELIVERED = {
    "class-1-default-alphabet": (STOP, {"data_coding": 0xF1}, "STOP", []),
    "waiting-discarded": (STOP, {"data_coding": 0xC8}, "STOP", []),
    "waiting-ucs-2": (utf_16("STOP"), {"data_coding": 0xE0}, "STOP", []),
    "class-1-8-bit": (STOP, {"data_coding": 0xF5}, "53544f50", []),
    "binary": (STOP, {"data_coding": 4}, "53544f50", []),
    "mark-swapped": (
        bytes.fromhex("fffe530054004f005000"),
        {"data_coding": 8},
        "STOP",
        ["byte-order-swapped"],
    ),
}


async def test_data_coding_marks_and_tables_over_smpp(outside, tmp_path):
    """3GPP TS 23.038 clause 4; Turkish locking shift: 04 is the euro sign, 07 is i without dot."""
    turkish = bytes.fromhex("03250101044807")
    sent = {name: outside.new_handset() for name in (*DELIVERED, "turkish")}
    async with gateway(outside, tmp_path) as session:
        for sequence, (name, (octets, fields, _, _)) in enumerate(DELIVERED.items(), 1):
            pdu = pdu_of(octets, source=sent[name], destination=ANN, **fields)
            assert await session.deliver(pdu, sequence=sequence) == 0
        pdu = pdu_of(turkish, source=sent["turkish"], destination=ANN, esm_class=UDHI)
        assert await session.deliver(pdu, sequence=100) == 0
    for name, (_, _, text, flags) in DELIVERED.items():
        assert await asyncio.to_thread(judged, outside, sent[name]) == DUE, name
        message = await asyncio.to_thread(last_of, outside, sent[name], 1)
        assert (message["text"], message["flags"]) == (text, flags), name
    message = await asyncio.to_thread(last_of, outside, sent["turkish"], 1)
    assert (message["text"], message["lossy"]) == (f"€H{DOTLESS}", False)


def lines_of(outside, handset, *texts) -> bytes:
    """A log of lines without ids, with hours between their times; the last line is an hour old."""
    ago = range(len(texts), 0, -1)
    times = [timestamp(outside.clock.now() - timedelta(hours=hours)) for hours in ago]
    return b"".join(
        f"{time}\t{handset}\t{ANN}\t{text}\t{API_ID}\t\tISO-8859-1\t\n".encode()
        for time, text in zip(times, texts, strict=True)
    )


def test_a_log_with_a_mark_keeps_its_order_and_is_imported_once(outside, handset, tmp_path):
    log = tmp_path / "mo.log"
    log.write_bytes(b"\xef\xbb\xbf" + lines_of(outside, handset, "Hello", "STOP"))
    for _ in range(2):
        assert "2 lines taken, 0 refused" in outside.running.cli("import", str(log)).stdout
    assert judged(outside, handset) == DUE
    rows = outside.rows("mo_message", handset, at_least=2, order="gateway_time")
    assert [(row["text"], row["flags"]) for row in rows] == [("Hello", []), ("STOP", [])]


@pytest.mark.parametrize(
    ("text", "code"),
    [("STOP", 1), ("arr%EAt", 1), ("%06%42%06%41", 1), ("please+take+me+off", 1), ("Hello", 0)],
)
def test_an_unended_line_that_may_be_a_stop_fails_the_import(
    outside, handset, tmp_path, text, code
):
    log = tmp_path / "mo.log"
    log.write_bytes(lines_of(outside, handset, text).removesuffix(b"\n"))
    assert outside.running.cli("import", str(log), check=False).returncode == code


def test_what_does_not_fit_when_it_goes_out_is_a_dead_letter_and_the_next_is_judged(outside):
    """One gzip record of 2,000,000 octets, three plain ones at the limit, ten of JSON."""
    handset = outside.new_handset()
    send(outside, handset, STOP)
    key = handset.encode()
    broker = outside.running.stack.kafka
    packed = KafkaProducer(
        bootstrap_servers=broker,
        compression_type="gzip",
        enable_idempotence=False,  # it goes on after what the broker refuses
        max_request_size=4_000_000,
    )
    plain = KafkaProducer(bootstrap_servers=broker, max_request_size=2_000_000, batch_size=0)
    try:
        with pytest.raises(MessageSizeTooLargeError):  # the broker unpacks it, and looks then
            packed.send(topics.MT_REQUEST, b"x" * 2_000_000, key=key).get(timeout=30)
        sent = [packed.send(topics.MT_REQUEST, b"x" * 1_048_000, key=key)]
        sent += [plain.send(topics.MT_REQUEST, b"y" * 1_048_480, key=key) for _ in range(3)]
        sent += [
            packed.send(topics.CONSENT_REQUEST, json.dumps({"stop": n}).encode(), key=key)
            for n in range(10)
        ]
        for each in sent:
            each.get(timeout=30)
    finally:
        packed.close()
        plain.close()
    assert judged(outside, handset) == DUE
    said = outside.running.cli("status").stdout
    assert re.search(r"^down +nothing$", said, re.MULTILINE), said


def test_a_keyword_stop_in_doubt_stops_the_keyword(outside, handset):
    send(outside, handset, b"FUN hello", number=SHARED, minutes="-1")
    send(outside, handset, "stop fun".encode("utf-16-le"), number=SHARED, charset="UTF-16LE")
    request = outside.ask_mt(to=handset, text="an offer", **{"from": SHARED}, keyword="FUN")
    assert outside.decided(request)["rule"] == DUE
