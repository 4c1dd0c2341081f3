"""Rules from a file, other rules at run time, and the error of the process for an invalid file."""

import asyncio
import os
import ssl
import subprocess
import sys

import aiosmtplib
import httpx
import pytest

from pipeline.gateway.certificates import AUTHORITY
from pipeline.gateway.faults.reading import UnusableFaults
from pipeline.gateway.files import where
from pipeline.gateway.world import EventKind
from tests.gateway.ways import HANDSET, of_kind

LOGIN = {"api_id": "10001", "user": "demo", "password": "stand-in", "to": HANDSET, "text": "Hi"}
REFUSE = '[[fault]]\ndo = "refuse"\ncode = "{}"\n'
PORTS = [f"--{name}-port=0" for name in ("http", "smpp", "smtp", "ftp")]
COMMAND = [sys.executable, "-m", "pipeline.cli.main", "gateway", *PORTS]


async def answer_of(played):
    base = f"http://127.0.0.1:{played.gateway.http.port}"
    async with httpx.AsyncClient(base_url=base) as client:
        return (await client.get("/http/sendmsg", params=LOGIN)).text


async def put(played, text, path="/_/faults"):
    base = f"http://127.0.0.1:{played.gateway.http.port}"
    async with httpx.AsyncClient(base_url=base) as client:
        return await client.put(path, content=text)


async def test_a_file_in_the_home_is_played(play, tmp_path):
    (tmp_path / "faults.toml").write_text(REFUSE.format("105"))
    async with play() as played:
        assert (await answer_of(played)).startswith("ERR: 105")


async def test_a_file_that_is_named_is_played_in_its_place(play, tmp_path):
    (tmp_path / "faults.toml").write_text(REFUSE.format("105"))
    (tmp_path / "mine.toml").write_text(REFUSE.format("113"))
    async with play(faults=tmp_path / "mine.toml") as played:
        assert (await answer_of(played)).startswith("ERR: 113")


async def test_a_file_that_is_named_must_be_there(play, tmp_path):
    with pytest.raises(UnusableFaults, match=r"mine\.toml: .*No such file"):
        async with play(faults=tmp_path / "mine.toml"):
            pass


async def test_rules_are_put_in_place_of_others_while_it_runs(play):
    async with play() as played:
        done = await put(played, REFUSE.format("105"))
        assert done.status_code == 200
        assert [rule["do"] for rule in done.json()["rules"]] == ["refuse"]
        assert (await answer_of(played)).startswith("ERR: 105")
        wrong = await put(played, '[[fault]]\ndo = "refuse"\ncode = "1"\n')
        assert (wrong.status_code, wrong.text.strip()) == (
            400,
            'body:3: code: must be three digits in quotes: "105"',
        )
        assert (await answer_of(played)).startswith("ERR: 105")
        assert (await put(played, "")).json()["rules"] == []
        assert (await answer_of(played)).startswith("ID: ")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/_/faults/refuse", "on", 200),
        ("/_/faults/refuse", "yes", 400),
        ("/_/faults/none", "on", 404),
        ("/_/faults", b"\xff", 400),
        ("/_/faults", "x" * 1_048_577, 400),
    ],
)
async def test_a_switch_and_rules_say_what_is_wrong(play, path, body, status):
    async with play() as played:
        assert (await put(played, body, path)).status_code == status
        expected = "ERR: 114" if status == 200 else "ID: "
        assert (await answer_of(played)).startswith(expected)
        assert bool(of_kind(played.gateway, EventKind.FAULT)) is (status == 200)


def test_a_spoilt_file_ends_the_process_with_its_line(tmp_path):
    (tmp_path / "faults.toml").write_text('[[fault]]\ndo = "html"\nway = "ftp"\n')
    done = subprocess.run(
        [*COMMAND, "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    line = f"{tmp_path}/faults.toml:3: way: must be one of http, xml, soap for html"
    assert done.stderr.strip() == f"twoway gateway: {line}"


async def test_the_process_has_tls_for_whoever_trusts_it(tmp_path):
    """Starts the real process, with uvloop."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--home",
        str(tmp_path),
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TWOWAY_HOST_NAMES": "gateway.example"},
    )
    try:
        async with asyncio.timeout(60):
            while not where(tmp_path):
                assert process.returncode is None
                await asyncio.sleep(0.05)
        urls = where(tmp_path)
        trusting = ssl.create_default_context(cafile=str(tmp_path / AUTHORITY))
        headers = {"Host": "gateway.example"}
        async with httpx.AsyncClient(base_url=urls["https"], verify=trusting) as client:
            answer = await client.get("/http/sendmsg", params=LOGIN, headers=headers)
            assert answer.text.startswith("ID: ")
            answer = await client.put("/_/faults/wrong-certificate", content="on")
            assert answer.status_code == 200
        async with httpx.AsyncClient(base_url=urls["https"], verify=trusting) as client:
            with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
                await client.get("/http/sendmsg", params=LOGIN)
        async with httpx.AsyncClient(base_url=urls["http"].removesuffix("/http")) as client:
            await client.put("/_/faults/wrong-certificate", content="off")
        host, _, port = urls["smtp"].removeprefix("smtp://").rpartition(":")
        mail = aiosmtplib.SMTP(hostname=host, port=int(port), start_tls=True, tls_context=trusting)
        await mail.connect()
        assert (await mail.noop()).code == 250
        await mail.quit()
    finally:
        process.terminate()
        await process.wait()
