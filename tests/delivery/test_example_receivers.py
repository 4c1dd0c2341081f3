"""The receivers under deploy/examples take what we sign, once, and nothing else."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeline.delivery.secrets_file import Credentials
from pipeline.wire.webhook import headers_of, key_from_secret
from tests.delivery.ways.test_http import handed_on

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "deploy" / "examples"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NODE = shutil.which("node") or ""
RECEIVERS = [
    pytest.param([sys.executable, str(EXAMPLES / "receiver.py")], id="Python"),
    pytest.param(
        [NODE, str(EXAMPLES / "receiver.mjs")],
        id="Node",
        marks=pytest.mark.skipif(not NODE, reason="node is not installed"),
    ),
]


@contextmanager
def receiving(
    words: list[str], secrets: str = SECRET
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A receiver on a free port, and where it is."""
    with subprocess.Popen(
        [*words, "0"],
        env=os.environ | {"TWOWAY_SECRET": secrets},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            found = re.search(r"http://\S+", process.stderr.readline() if process.stderr else "")
            assert found is not None
            yield found[0], process
        finally:
            process.kill()


@pytest.mark.parametrize("words", RECEIVERS)
async def test_what_we_send_is_taken_once(words: list[str]) -> None:
    keys = (key_from_secret(OTHER), key_from_secret(SECRET))
    with receiving(words) as (url, process):
        seen = await handed_on(url, way="webhook", credentials=Credentials(keys=keys), times=2)
        assert (seen.is_delivered, seen.status) == (True, "200")
        process.kill()
        said = process.stdout.read() if process.stdout else ""
    (line,) = said.splitlines()
    assert json.loads(line)["data"]["text"] == "hello"


@pytest.mark.parametrize("words", RECEIVERS)
async def test_it_knows_two_secrets_while_one_is_changed(words: list[str]) -> None:
    with receiving(words, secrets=f"{OTHER} {SECRET}") as (url, _):
        keys = (key_from_secret(SECRET),)
        seen = await handed_on(url, way="webhook", credentials=Credentials(keys=keys))
    assert seen.is_delivered


@pytest.mark.parametrize("words", RECEIVERS)
async def test_what_others_send_is_refused(words: list[str]) -> None:
    key = key_from_secret(SECRET)
    payload = b'{"type":"message.received"}'
    good = headers_of([key], message_id="m", timestamp=_now(), payload=payload)
    others = {
        "no signature": {},
        "another secret": headers_of(
            [key_from_secret(OTHER)], message_id="m", timestamp=_now(), payload=payload
        ),
        "another id": good | {"webhook-id": "n"},
        "a recording": headers_of([key], message_id="m", timestamp=_now() - 3600, payload=payload),
        "no time": good | {"webhook-timestamp": "soon"},
        "no base64": good | {"webhook-signature": "v1,???"},
        "another version": good
        | {"webhook-signature": good["webhook-signature"].replace("v1", "v9")},
    }
    with receiving(words) as (url, _):
        async with aiohttp.ClientSession() as http:
            for name, headers in others.items():
                async with http.post(url, data=payload, headers=headers) as answer:
                    assert answer.status == 401, name
            async with http.post(url, data=payload + b" ", headers=good) as answer:
                assert answer.status == 401
            async with http.post(url, data=payload, headers=good) as answer:
                assert answer.status == 200


def _now() -> int:
    import time

    return int(time.time())
