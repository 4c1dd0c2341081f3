"""SOAP::Lite, which is not ours, parses our envelopes and writes the answers that we read."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.way import Found, ProbeFailed
from pipeline.sender.ways.soap import SoapWay
from tests.sender.ways.counterpart import PASSWORD, Counterpart, api_of
from tests.support.submissions import COMMAND, submission_of

PERL = shutil.which("perl") or ""
PROGRAM = Path(__file__).with_name("soap_lite.pl")
SESSION = "0123456789abcdef"


def has_soap_lite() -> bool:
    modules = ("-MSOAP::Transport::HTTP", "-MHTTP::Daemon", "-e", "1")
    return bool(PERL) and not subprocess.run([PERL, *modules], capture_output=True).returncode


pytestmark = pytest.mark.skipif(
    not has_soap_lite(),
    reason="needs SOAP::Lite for Perl: apt-get install libsoap-lite-perl (Debian)",
)


@pytest.fixture
def server():
    """Its port, and a function that returns the next call that it received."""
    process = subprocess.Popen([PERL, str(PROGRAM)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield port, lambda: json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def way_at(port: int, **changes) -> SoapWay:
    return SoapWay(api_of(Counterpart(way=WayName.SOAP, port=port), **changes))


async def submit(way: SoapWay, text: str):
    (answer,) = await way.submit(submission_of(text=text), lambda: True)
    return answer


@pytest.mark.parametrize(
    ("text", "sent", "is_unicode"),
    [
        ("Ça va & <mon> élève?\r\n ]]> ", "Ça va & <mon> élève?\r\n ]]> ", "0"),
        ("5 €", "0035002020AC", "1"),
    ],
)
async def test_every_parameter_is_in_its_place(server, text, sent, is_unicode):
    port, next_call = server
    way = way_at(port)
    answer = await submit(way, text)
    await way.close()
    assert answer.outcome == Outcome.SUBMITTED
    assert answer.gateway_message_ids == ("18e8221e5aa5",)
    assert next_call() == ["auth", "1234", "its-user", PASSWORD]
    assert next_call() == [
        *("sendmsg", SESSION, "0", "", "", [COMMAND.handset], COMMAND.sender_id, sent),
        *("1", "1", "7", "0", "0", "0", "0", "0", "1", COMMAND.command_id, is_unicode),
        *("", "", "", "0"),
    ]


async def test_a_refusal_is_read_and_a_fault_is_unknown(server):
    port, _ = server
    way = way_at(port)
    refused, unknown = await submit(way, "refuse"), await submit(way, "die")
    await way.close()
    assert (refused.outcome, refused.code) == (Outcome.FAILED, "105")
    assert unknown.outcome == Outcome.UNKNOWN
    assert unknown.words == "HTTP 500: a fault: no route & no <hope>"


async def test_it_is_probed_and_asked(server):
    port, _ = server
    way = way_at(port)
    assert await way.probe() == "logged in, and the gateway answered a ping"
    assert await way.ask_about(COMMAND.command_id) == Found(
        is_known=True, gateway_message_id="18e8221e5aa5", status="004", charge="0.33"
    )
    await way.close()
    wrong = way_at(port, password=f"not-{PASSWORD}")
    with pytest.raises(ProbeFailed, match="login: Authentication failed"):
        await wrong.probe()
    await wrong.close()
