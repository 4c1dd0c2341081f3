"""XML that is not well-formed; its message is still taken, with a flag."""

import pytest

from pipeline.records import DeadLetter, Flag, Rejected
from pipeline.store.story.again import again_from_letter
from pipeline.wire import soap, xml
from pipeline.wire.callback import MoCallback
from tests.support.guide_samples import GUIDE_SOAP
from tests.support.mo import NOON

WAYS = [pytest.param(xml, id="xml"), pytest.param(soap, id="soap")]


def _packet(inside: bytes, head: bytes = b"") -> bytes:
    return b"data=%b<clickmo><from>2</from><to>1</to>%b</clickmo>" % (head, inside)


def _parsed(way, body: bytes):
    return way.parse(query=b"", body=body, content_type="")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(
            _packet(b"<text>J\xe9r\xf4me</text><charset>ISO-8859-1</charset>"),
            "Jérôme",
            id="G8.3.4",
        ),
        pytest.param(_packet(b"<text>\x80</text><charset>ISO-8859-1</charset>"), "€", id="cp1252"),
        pytest.param(
            _packet(b"<text>\xf0\xf2</text><charset>KOI8-R</charset>"), "ПР", id="IANA name"
        ),
        pytest.param(
            _packet(b"<text>J\xe9</text>", b'<?xml version="1.0" encoding="UTF-8"?>'),
            "Jé",
            id="a declaration that is wrong",
        ),
        pytest.param(_packet(b"<text>&#55357;&#56832;</text>"), "\U0001f600", id="decimal"),
        pytest.param(_packet(b"<text>&#xD83D;&#xde00;</text>"), "\U0001f600", id="hexadecimal"),
        pytest.param(
            _packet(b"<text>\xe9&#xD83D;&#56832;</text>"), "é\U0001f600", id="both repairs"
        ),
    ],
)
def test_a_repair_reads_what_was_meant(way, body, text):
    found = _parsed(way, body)
    assert isinstance(found, MoCallback)
    assert found.flag == Flag.REPAIRED
    encodings = {"UTF-16BE": "utf-16-be", "KOI8-R": "koi8-r"}
    encoding = encodings.get(found.charset, "cp1252")
    assert found.octets.decode(encoding) == text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "inside",
    [
        b"<text>&#55357;</text>",
        b"<text>&#56832;&#55357;</text>",
        b"<text>\xe9",
        b"<text>\x01</text>",
    ],
    ids=["lone", "reversed", "cut", "control"],
)
def test_what_no_repair_reads_is_refused(way, inside):
    assert isinstance(_parsed(way, _packet(inside)), Rejected)


@pytest.mark.parametrize("way", WAYS)
def test_well_formed_xml_is_not_repaired(way):
    assert not _parsed(way, _packet("<text>é</text>".encode())).flag


def test_the_guides_own_soap_is_not_flagged():
    assert not _parsed(soap, GUIDE_SOAP).flag


def test_a_letter_of_before_is_taken_by_a_retry():
    letter = DeadLetter(
        dead_letter_id="1" * 32,
        topic="",
        partition=-1,
        offset=-1,
        key=None,
        headers=[],
        octets=_packet(b"<text>J\xe9r\xf4me</text><charset>ISO-8859-1</charset>"),
        source="xml",
        stage="ingest",
        reason="not-xml",
        words="",
        at=NOON,
    )
    assert again_from_letter(letter, alphabet="gsm7").rejected is None
