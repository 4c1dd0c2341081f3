"""Clients that are not ours, against the gateway that is played."""

import asyncio
import shutil

import pytest

from pipeline.gateway.settings import API_IDS, MoWay
from pipeline.gateway.world import EventKind
from tests.gateway.ways import HANDSET, NUMBER, of_kind, until

PERL = """
use SOAP::Lite;
my ($url, $id, $to) = @ARGV;
my $soap = SOAP::Lite->proxy($url)->uri('soap.clickatell.com');
my $ok = $soap->call('auth', $id, 'demo', 'stand-in')->result;
$ok =~ s/OK: //;
my $sent = $soap->call('sendmsg', $ok, 0, '', '', [$to], '447700900999', 'From Perl', 1, 0, 0, 0,
  0, 0, 0, 0, 1, 'abc123', 0, '', '', '', 0)->result;
print $sent->[0];
"""


async def run(*command, given=None):
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate(given)
    assert process.returncode == 0, err.decode()
    return out.decode()


def tool(name):
    path = shutil.which(name)
    return path or pytest.skip(f"{name} is not installed")


async def test_curl_sends_by_http(play):
    curl = tool("curl")
    async with play() as played:
        login = ["-d", f"api_id={API_IDS['http']}", "-d", "user=demo", "-d", "password=stand-in"]
        base = played.gateway.urls["http"]
        session = await run(curl, "-s", *login, f"{base}/auth")
        assert session.startswith("OK: ")
        more = ["-d", f"session_id={session[4:]}", "-d", f"to={HANDSET},447700900002"]
        sent = await run(
            curl,
            "-s",
            *more,
            "--data-urlencode",
            "text=£5",
            "-d",
            "charset=UTF-8",
            f"{base}/sendmsg",
        )
        assert [line.split(" To: ")[1] for line in sent.splitlines()] == [HANDSET, "447700900002"]
        assert {event.text for event in of_kind(played.gateway, EventKind.SUBMITTED)} == {"£5"}
        assert (await run(curl, "-s", *login, f"{base}/getbalance")).startswith("Credit: 998")
        assert (
            await run(curl, "-s", f"{base}/ping?session_id=none") == "ERR: 003, Session ID expired"
        )


async def test_curl_uploads_a_file(play):
    curl = tool("curl")
    lines = f"api_id:{API_IDS['ftp']}\nuser:demo\npassword:stand-in\ntext:Dear #field1#\n"
    given = f"{lines}csv:{HANDSET},Ann\ncsv:447700900002,Bob\n".encode()
    async with play() as played:
        url = f"{played.gateway.urls['ftp']}/any.txt"
        await run(curl, "-s", "-T", "-", "-u", f"{API_IDS['ftp']}:stand-in", url, given=given)
        await until(lambda: len(of_kind(played.gateway, EventKind.SUBMITTED)) == 2)
        texts = [event.text for event in of_kind(played.gateway, EventKind.SUBMITTED)]
        assert texts == ["Dear Ann", "Dear Bob"]


async def test_soap_lite_sends_by_place(play):
    perl = tool("perl")
    try:
        await run(perl, "-MSOAP::Lite", "-e", "1")
    except AssertionError:
        pytest.skip("SOAP::Lite is not installed")
    async with play() as played:
        sent = await run(perl, "-e", PERL, played.gateway.urls["soap"], API_IDS["soap"], HANDSET)
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        assert sent == f"ID: {event.message_id}"
        assert (event.text, event.client_id, event.sender_id) == ("From Perl", "abc123", NUMBER)


async def test_smpplib_binds_submits_and_receives(play):
    client = pytest.importorskip("smpplib.client")
    consts = pytest.importorskip("smpplib.consts")
    async with play(mo_way=MoWay.SMPP) as played:
        esme = client.Client(
            "127.0.0.1", played.gateway.smpp.port, timeout=5, allow_unknown_opt_params=True
        )
        received = []
        esme.set_message_received_handler(lambda pdu: received.append(pdu) or None)

        def begin():
            esme.connect()
            esme.bind_transceiver(
                system_id="demo",
                password=played.gateway.settings.password,
                system_type=API_IDS["smpp"],
            )
            esme.send_message(
                source_addr=NUMBER,
                destination_addr=HANDSET,
                short_message=b"From smpplib",
                registered_delivery=1,
            )
            while not received:
                esme.read_once()

        await asyncio.to_thread(begin)
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        assert event.text == "From smpplib"
        assert received[0].receipted_message_id.strip(b"\0").decode() == event.message_id
        reading = asyncio.create_task(asyncio.to_thread(lambda: esme.read_once()))
        await played.gateway.text(HANDSET, NUMBER, "Hello 👋")
        await reading
        assert received[1].short_message.decode("utf-16-be") == "Hello 👋"
        (handed,) = of_kind(played.gateway, EventKind.HANDED_OVER)
        assert (handed.facts["answer"], consts.SMPP_ESME_ROK) == (200, 0)
        await asyncio.to_thread(esme.disconnect)


async def test_swaks_sends_a_mail(play):
    swaks = tool("swaks")
    async with play() as played:
        body = f"api_id:{API_IDS['smtp']}\nuser:demo\npassword:stand-in\nto:{HANDSET}\ntext:Mail\n"
        host = played.gateway.urls["smtp"].removeprefix("smtp://")
        await run(swaks, "--server", host, "--to", "sms@example.com", "--body", body)
        assert [event.text for event in of_kind(played.gateway, EventKind.SUBMITTED)] == ["Mail"]
