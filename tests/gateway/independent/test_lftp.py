"""lftp uploads a file, after a listing, and fetches mo.log."""

from pipeline.gateway.settings import API_IDS, MoWay
from pipeline.gateway.world import EventKind
from pipeline.wire import mo_log
from tests.gateway.independent.tools import run, tool
from tests.gateway.ways import HANDSET, NUMBER, of_kind, until


async def test_it_uploads_files_and_fetches_the_log(play, tmp_path):
    lftp = tool("lftp", "lftp")
    login = f"api_id:{API_IDS['ftp']}\r\nuser:demo\r\npassword:stand-in\r\n"
    sent, log = tmp_path / "sent.txt", tmp_path / "fetched.log"
    sent.write_text(f"{login}to:{HANDSET}\r\nfrom:{NUMBER}\r\ntext:One\r\ntext:Two\r\n")
    async with play(mo_way=MoWay.FTP) as played:
        await played.gateway.text(HANDSET, NUMBER, "Käse 👋")

        async def do(*commands: str) -> str:
            plain = "set ftp:ssl-allow no; set net:max-retries 1; set cmd:fail-exit yes"
            user = f"{API_IDS['ftp']},stand-in"
            words = "; ".join((plain, *commands, "bye"))
            return await run(lftp, "-u", user, "-e", words, played.gateway.urls["ftp"])

        await do(f"put {sent} -o sent.part", "mv sent.part sent.txt", f"get mo.log -o {log}")
        (line,) = log.read_bytes().splitlines()
        callback = mo_log.parse(line)
        assert callback.octets.decode("utf-16-be") == "Käse 👋"
        assert callback.handset == HANDSET
        await until(lambda: of_kind(played.gateway, EventKind.SUBMITTED))
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        assert (event.text, event.sender_id) == ("One\r\nTwo", NUMBER)
        answer = f"ID: {event.message_id}"
        await until(lambda: (played.gateway.ftp.folder / "sent.txt.log").exists())
        assert answer in await do("cat sent.txt.log")
