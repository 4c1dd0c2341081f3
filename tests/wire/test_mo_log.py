"""The FTP log (G8.3.2), line by line and cut anywhere."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Reason, Rejected, Source
from pipeline.sms.words.stopword_sets import SETS
from pipeline.wire.callback import MoCallback
from pipeline.wire.mo_log import (
    MAX_LINE,
    LineSplitter,
    Overlong,
    is_utf_16,
    may_hold_stop,
    parse,
    render,
    time_of_line,
)
from pipeline.wire.percent import percent_from_octets
from pipeline.wire.ways import callback_from_raw
from tests.support.golden_rows import golden_rows
from tests.support.mo import raw

LINE = b"2012-05-25 13:55:04\t2782\t4477\ta+b%20%2B\t7\tid\tISO-8859-1\t\t655"


@pytest.mark.parametrize(
    "row",
    [row for row in golden_rows("clickatell_mo_xml_soap_ftp") if "line" in row.values[0]["input"]],
)
def test_golden_line(row):
    found = parse(row["input"]["line"].encode())
    assert found == MoCallback(
        timestamp="2012-05-25 13:55:04",
        handset="handset_number",
        number="mo_number",
        octets=row["expected"]["text"].encode(),
        api_id="api_id",
        mo_msg_id="moMsgId",
        charset="character set",
        udh="UDH",
        network_id="network_id",
    )


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        pytest.param(LINE, {"octets": b"a b +", "network_id": "655"}, id="nine-columns"),
        pytest.param(LINE.rpartition(b"\t")[0], {"network_id": ""}, id="eight-columns"),
        pytest.param(LINE + b"\tmore", {"network_id": "655"}, id="ten-columns"),
        pytest.param(b"\t2782\t4477", {"octets": b"", "timestamp": ""}, id="only-addresses"),
        pytest.param(b"t\t2782\t4477\t%D8%3d\xff", {"octets": b"\xd8\x3d\xff"}, id="octets"),
    ],
)
def test_a_line_is_taken(line, fields):
    found = parse(line)
    assert isinstance(found, MoCallback)
    assert (found.handset, found.number) == ("2782", "4477")
    assert {name: getattr(found, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"t\t1\t2\t%zz", Reason.BROKEN_PERCENT_ENCODING, id="broken"),
        pytest.param(b"t\t\t2\ta", Reason.MISSING_FROM, id="no-handset"),
        pytest.param(b"t\t1\t \ta", Reason.MISSING_TO, id="no-number"),
        pytest.param(b"\xff\x00", Reason.MISSING_FROM, id="no-columns"),
        pytest.param("t\t2782\t4477\ta".encode("utf-16-le"), Reason.UNREADABLE_RECORD, id="utf-16"),
    ],
)
def test_a_line_is_refused_and_says_why(line, reason):
    found = parse(line)
    assert isinstance(found, Rejected)
    assert found.reason == reason


def test_a_raw_event_of_the_log_is_its_line():
    event = msgspec.structs.replace(raw(b"", source=Source.FTP), octets=LINE)
    assert callback_from_raw(event) == parse(LINE)


column = st.text(st.characters(exclude_characters="\t\r\n\0\ufeff", exclude_categories=("Cs",)))
callbacks = st.builds(
    MoCallback,
    handset=column.filter(str.strip),
    number=column.filter(str.strip),
    api_id=column,
    mo_msg_id=column,
    timestamp=column,
    charset=column,
    udh=column,
    network_id=column,
    octets=st.binary(),
)


@given(callbacks)
def test_what_is_rendered_is_parsed_back(given_callback):
    assert parse(render(given_callback)) == given_callback


@given(st.binary())
def test_arbitrary_octets_give_a_value(octets):
    found = parse(octets)
    assert found is None or isinstance(found, MoCallback | Rejected)


def _split(stream: bytes, *cuts: int) -> tuple[list[bytes | Overlong], int]:
    splitter = LineSplitter()
    edges = [0, *sorted(cuts), len(stream)]
    lines = [
        line
        for start, end in itertools.pairwise(edges)
        for line in splitter.feed(stream[start:end])
    ]
    return lines, splitter.pending


STREAM = b"one\r\ntwo\n\n\rthree\r\r\nnot yet\r"


@pytest.mark.parametrize("cut", range(len(STREAM)))
def test_lines_come_out_whole_at_every_cut(cut):
    lines = [b"one", b"two", b"", b"\rthree\r"]
    assert _split(STREAM, cut) == (lines, len(b"not yet\r"))
    assert _split(STREAM, *range(len(STREAM))) == (lines, len(b"not yet\r"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("step", [1_000, MAX_LINE, MAX_LINE + 1, 10 * MAX_LINE])
@pytest.mark.parametrize(
    ("length", "is_line"), [(MAX_LINE, True), (MAX_LINE + 1, False), (3 * MAX_LINE + 7, False)]
)
def test_a_line_over_64_kib_comes_in_pieces_and_the_next_is_a_line(length, is_line, step, end):
    stream = b"x" * length + end + b"next" + end
    *first, last = _split(stream, *range(step, len(stream), step))[0]
    assert last == b"next"
    if is_line:
        assert first == [b"x" * length]
    else:
        assert all(isinstance(piece, Overlong) for piece in first)
        assert sum(len(piece.octets) for piece in first) == length


def test_a_utf_8_mark_is_no_text():
    assert parse(b"\xef\xbb\xbf" + LINE) == parse(LINE)
    assert time_of_line(b"\xef\xbb\xbf" + LINE) == time_of_line(LINE) is not None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_log_saved_as_utf_16_is_told(encoding):
    assert is_utf_16(LINE.decode().encode(encoding))
    assert not is_utf_16(LINE)


@pytest.mark.parametrize(
    ("unended", "may"),
    [
        (b"", False),
        (b" ", False),
        (b"2012-05", True),
        (b"t\t1\t2\tHel", True),
        (b"t\t1\t2\tHello\t", False),
        (b"t\t1\t2\tstop\t7\tid", True),
        (b"t\t1\t2\tplease+stop%21\t", True),
        (b"t\t1\t2\t%00S%00T%00O%00P\t7\tid\tUTF-16BE", True),
        (b"t\t1\t2\t%zz\t", True),
        (b"t\t1\t2\tARRET\t", True),
        (b"t\t1\t2\tplease+remove+me+now\t", True),
        (b"t\t1\t2\tT\t", True),
        (b"t\t1\t2\tI+don%27t+know\t", False),
        (b"t\t1\t2\tbasta+ya\t", True),
        (b"t\t1\t2\t%06%42%06%41\t", True),
        (b"t\t1\t2\tS%00T%00O%00P%00\t", True),
        (b"t\t1\t2\t53544F50\t", True),
        (b"t\t1\t2\twe+are+genug\t", False),
    ],
)
def test_a_line_without_an_end_may_be_a_stop(unended, may):
    assert may_hold_stop(unended) is may


@pytest.mark.parametrize("name", SETS)
def test_every_word_of_every_set_may_be_a_stop(name):
    for word, _ in SETS[name]:
        for charset in ("utf-8", "utf-16-be"):
            text = percent_from_octets(word.lower().encode(charset))
            assert may_hold_stop(b"t\t1\t2\t" + text + b"\t"), word


def test_a_numbers_own_word_may_be_a_stop():
    assert may_hold_stop(b"t\t1\t2\tGenug+jetzt\t", ("genug",))
