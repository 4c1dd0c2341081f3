"""No password is kept: not in events, not on the page, not in gateway-seen.jsonl."""

import asyncio
import base64
import quopri

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gateway.masking import masked_lines, masked_mail, masked_request
from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from pipeline.sender.apis.api import WayName
from pipeline.wire.percent import percent_from_octets
from tests.gateway.ways import HANDSET, NUMBER, always, of_kind, submission, until, way_to
from tests.hostile.growth import refuse_steep_growth

HEAD = b"POST /xml/xml HTTP/1.1\r\nHost: x\r\n\r\n"
REQUESTS = {
    "query": (
        b"GET /http/sendmsg?user=demo&password=s3cret&to=1 HTTP/1.1\r\n\r\n",
        b"GET /http/sendmsg?user=demo&password=******&to=1 HTTP/1.1\r\n\r\n",
    ),
    "first of the query": (
        b"GET /http/auth?password=s3cret HTTP/1.1\r\n\r\n",
        b"GET /http/auth?password=****** HTTP/1.1\r\n\r\n",
    ),
    "form": (HEAD + b"password=s3cret&to=1", HEAD + b"password=******&to=1"),
    "capitals": (HEAD + b"a=1&PASSWORD=s3cret", HEAD + b"a=1&PASSWORD=******"),
    "percent": (HEAD + b"a=1&password=s%33cr%26t", HEAD + b"a=1&password=**********"),
    "name in percent": (HEAD + b"a=1&p%61ssword=s3cret", HEAD + b"a=1&p%61ssword=******"),
    "XML": (
        HEAD + b"data=<clickAPI><auth><password>s3cret</password></auth></clickAPI>",
        HEAD + b"data=<clickAPI><auth><password>******</password></auth></clickAPI>",
    ),
    "XML in percent": (
        HEAD + b"data=%3Cpassword%3Es3%26amp%3Bcret%3C%2Fpassword%3E",
        HEAD + b"data=%3Cpassword%3E***************%3C%2Fpassword%3E",
    ),
    "CDATA": (
        HEAD + b"data=<password><![CDATA[s3cret]]></password>x",
        HEAD + b"data=<password>" + b"*" * 18 + b"</password>x",
    ),
    "XML without an end": (
        HEAD + b"data=<password>s3cret<to>1",
        HEAD + b"data=<password>" + b"*" * 11,
    ),
    "SOAP": (
        HEAD + b'<password xsi:type="xsd:string">s3cret</password>',
        HEAD + b'<password xsi:type="xsd:string">******</password>',
    ),
    "a prefix": (
        HEAD + b"<ns1:Password>s3cret</ns1:Password>",
        HEAD + b"<ns1:Password>******</ns1:Password>",
    ),
    "two": (
        HEAD + b"<password>one</password><password>three</password>",
        HEAD + b"<password>***</password><password>*****</password>",
    ),
    "Basic auth": (
        b"GET / HTTP/1.1\r\nAuthorization: Basic ZGVtbzp4\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: **************\r\nHost: x\r\n\r\n",
    ),
    "no password": (HEAD + b"text=my+passwords=are+safe", HEAD + b"text=my+passwords=are+safe"),
}


@pytest.mark.parametrize(("octets", "expected"), REQUESTS.values(), ids=REQUESTS)
def test_a_request_is_kept_without_its_password(octets, expected):
    assert masked_request(octets) == expected
    assert len(expected) == len(octets)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_soap_by_place_is_kept_without_the_value_that_was_understood(encoding):
    envelope = '<auth><a>1</a><b>demo</b><c-gensym7 t="s">s3&amp;cret</c-gensym7></auth>'
    octets = envelope.encode(encoding)
    masked = masked_request(octets, password="s3&cret")  # noqa: S106 - made up
    assert len(masked) == len(octets)
    assert "s3&amp;cret".encode(encoding.replace("16", "16-le")) not in masked
    assert masked.count(b"*") == len("s3&amp;cret".encode(encoding.replace("16", "16-le")))


LINES = {
    "CRLF": (b"user:demo\r\npassword:s3cret\r\nto:1", b"user:demo\r\npassword:******\r\nto:1"),
    "first": (b"password:s3cret\nto:1", b"password:******\nto:1"),
    "blanks": (b"a:1\n Password : s3cret \nto:1", b"a:1\n Password :********\nto:1"),
    "CR alone": (b"a:1\rpassword:s3cret\rto:1", b"a:1\rpassword:******\rto:1"),
    "a text": (b"text:my password:is here", b"text:my password:is here"),
}


@pytest.mark.parametrize(("octets", "expected"), LINES.values(), ids=LINES)
def test_lines_are_kept_without_their_password(octets, expected):
    assert masked_lines(octets) == expected


BODY = b"api_id:1\r\nuser:demo\r\npassword:s3cret=\r\nto:1\r\n" + b"text:" + b"x" * 80 + b"\r\n"


def mail(encoding, body, more=b""):
    head = b"Subject: x\r\nContent-Transfer-Encoding: " + encoding + b"\r\n" + more
    return head + b"\r\n" + body


@pytest.mark.parametrize(
    "octets",
    [
        mail(b"7bit", BODY),
        mail(b"base64", base64.encodebytes(BODY).replace(b"\n", b"\r\n")),
        mail(b"quoted-printable", quopri.encodestring(BODY).replace(b"\n", b"\r\n")),
        mail(b"quoted-printable", b"pass=77ord:s3=\r\ncr=65t=3D\r\nto:1\r\n".replace(b"77", b"77")),
    ],
    ids=["7bit", "base64", "quoted-printable", "soft breaks"],
)
def test_a_mail_is_kept_without_its_password(octets):
    from email import message_from_bytes

    masked = masked_mail(octets)
    assert len(masked) == len(octets)
    body = message_from_bytes(masked).get_payload(decode=True)
    assert b"s3cret" not in body
    assert b"to:1" in body


def test_of_a_mail_of_several_parts_no_base64_is_kept():
    part = b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(BODY) + b"--b--"
    octets = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part
    assert base64.b64encode(BODY)[:40] not in masked_mail(octets)


@given(password=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_whatever_the_password_nothing_of_it_is_left(password):
    octets = percent_from_octets(password.encode())
    whole = HEAD + b"user=demo&password=" + octets + b"&to=1"
    assert masked_request(whole) == HEAD + b"user=demo&password=" + b"*" * len(octets) + b"&to=1"


@pytest.mark.parametrize(
    "piece", [b"<password ", b"<password>", b"password=", b"%", b"%41", b"password:\n", b"=\n"]
)
def test_masking_grows_with_the_octets_alone(piece):
    def work(size):
        octets = piece * size
        return lambda: (masked_request(octets), masked_lines(octets))

    refuse_steep_growth(work, largest=65_536)


@pytest.mark.parametrize("name", list(WayName), ids=str)
async def test_nothing_that_is_kept_holds_the_password(play, tmp_path, name):
    password = "Tr0ub4do"
    async with play(password=password) as played, way_to(played.gateway, name) as way:
        await way.submit(submission(), always)
        await until(lambda: of_kind(played.gateway, EventKind.SUBMITTED))
        kept = b"".join(event.received + event.sent for event in played.gateway.world.events)
        assert password.encode() not in kept
        seen = (tmp_path / "gateway-seen.jsonl").read_text()
        assert password.encode().hex() not in seen
        if name in (WayName.SMTP, WayName.FTP):  # the others have a session, or a bind
            assert b"*" * len(password) in kept
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        async with httpx.AsyncClient(base_url=base) as client:
            pages = [(await client.get("/")).text]
            for event in list(played.gateway.world.events):
                pages.append((await client.get(f"/exchanges/{event.number}")).text)
        assert password not in "".join(pages)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (WayName.SMPP, b"\x80\x00\x00\x04\x00\x00\x00\x00"),  # submit_sm_resp, ESME_ROK
        (WayName.SMTP, b"250 OK\r\n"),
        (WayName.FTP, b"ID: "),
    ],
    ids=str,
)
async def test_the_answer_is_kept_beside_what_was_asked(play, name, words):
    async with play() as played, way_to(played.gateway, name) as way:
        await way.submit(submission(), always)
        await until(lambda: any(e.sent for e in of_kind(played.gateway, EventKind.SUBMITTED)))
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        assert words in event.sent
        assert event.message_id.encode() in event.sent or name is WayName.SMTP


async def test_a_mail_that_asks_for_a_reply_gets_a_file(play, tmp_path):
    """The answers are lines of HTTP, one a handset (facts of SMTP, 7); it is sent to nobody."""
    from email import message_from_bytes

    import aiosmtplib

    body = (
        f"api_id:{API_IDS['smtp']}\r\nuser:demo\r\npassword:stand-in\r\nfrom:{NUMBER}\r\n"
        f"to:{HANDSET}\r\nto:279991000105\r\nreply:ops@example.com\r\ntext:Hi\r\n"
    )
    async with play() as played:
        host, _, port = played.gateway.urls["smtp"].removeprefix("smtp://").rpartition(":")
        await aiosmtplib.send(
            f"Subject: x\r\n\r\n{body}",
            hostname=host,
            port=int(port),
            sender="a@example.com",
            recipients=["sms@example.com"],
            start_tls=False,
        )
        await until(lambda: of_kind(played.gateway, EventKind.SUBMITTED))
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        (file,) = (tmp_path / "gateway-mail").iterdir()
        mail = message_from_bytes(file.read_bytes())
        assert (mail["To"], mail.get_content_type()) == ("ops@example.com", "text/plain")
        lines = mail.get_payload(decode=True).decode().splitlines()
        assert lines == [
            f"ID: {event.message_id} To: {HANDSET}",
            "ERR: 105, Invalid destination address To: 279991000105",
        ]
        assert event.sent.endswith(file.read_bytes())
    assert asyncio.all_tasks() == {asyncio.current_task()}
