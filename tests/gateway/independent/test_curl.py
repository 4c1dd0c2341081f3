"""curl sends by HTTP, XML and FTP."""

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from tests.gateway.independent.tools import run, tool
from tests.gateway.ways import HANDSET, NUMBER, of_kind, until

OTHER = "447700900002"
LOGIN = {"user": "demo", "password": "stand-in"}


async def curl(*words: str, **given: str) -> str:
    fields = [word for pair in given.items() for word in ("--data-urlencode", "=".join(pair))]
    return await run(tool("curl", "curl"), "-s", *fields, *words)


async def test_it_sends_by_http(play):
    async with play() as played:
        base, login = played.gateway.urls["http"], LOGIN | {"api_id": API_IDS["http"]}
        session = await curl(f"{base}/auth", **login)
        assert session.startswith("OK: ")
        given = {"session_id": session[4:], "to": f"{HANDSET},{OTHER}"}
        sent = await curl(f"{base}/sendmsg", **given, text="£5", charset="UTF-8")
        assert [line.split(" To: ")[1] for line in sent.splitlines()] == [HANDSET, OTHER]
        assert {event.text for event in of_kind(played.gateway, EventKind.SUBMITTED)} == {"£5"}
        assert (await curl(f"{base}/getbalance", **login)).startswith("Credit: 998")
        assert await curl(f"{base}/ping?session_id=none") == "ERR: 003, Session ID expired"


async def test_it_sends_by_xml(play):
    """The command is the example of the XML API's document (2.4.9, 4.3)."""
    document = (
        f"<clickAPI><sendMsg><api_id>{API_IDS['xml']}</api_id><user>demo</user>"
        f"<password>stand-in</password><to>{HANDSET}</to><text>Fish &amp; chips</text>"
        f"<from>{NUMBER}</from><sequence_no>7</sequence_no></sendMsg></clickAPI>"
    )
    async with play() as played:
        answer = await curl(played.gateway.urls["xml"], data=document)
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        assert (event.text, event.sender_id) == ("Fish & chips", NUMBER)
        assert f"<apiMsgId>{event.message_id}</apiMsgId>" in answer
        assert "<sequence_no>7</sequence_no>" in answer


async def test_it_uploads_a_file(play):
    lines = f"api_id:{API_IDS['ftp']}\nuser:demo\npassword:stand-in\ntext:Dear #field1#\n"
    given = f"{lines}csv:{HANDSET},Ann\ncsv:{OTHER},Bob\n".encode()
    async with play() as played:
        url, login = f"{played.gateway.urls['ftp']}/any.txt", f"{API_IDS['ftp']}:stand-in"
        await run(tool("curl", "curl"), "-s", "-T", "-", "-u", login, url, given=given)
        await until(lambda: len(of_kind(played.gateway, EventKind.SUBMITTED)) == 2)
        texts = [event.text for event in of_kind(played.gateway, EventKind.SUBMITTED)]
        assert texts == ["Dear Ann", "Dear Bob"]
