"""swaks, a mail client, sends by SMTP."""

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from tests.gateway.independent.tools import run, tool
from tests.gateway.ways import HANDSET, of_kind


async def test_it_sends_a_mail(play):
    swaks = tool("swaks", "swaks")
    async with play() as played:
        body = f"api_id:{API_IDS['smtp']}\nuser:demo\npassword:stand-in\nto:{HANDSET}\ntext:Mail\n"
        host = played.gateway.urls["smtp"].removeprefix("smtp://")
        for more in ((), ("--pipeline",)):
            words = ("--server", host, "--to", "sms@example.com", "--body", body)
            assert "250 OK" in await run(swaks, *words, *more)
        events = of_kind(played.gateway, EventKind.SUBMITTED)
        assert [event.text for event in events] == ["Mail", "Mail"]
