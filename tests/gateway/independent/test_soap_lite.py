"""SOAP::Lite calls the SOAP API; it gives parameters by position."""

import pytest

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from tests.gateway.independent.tools import run, tool
from tests.gateway.ways import HANDSET, NUMBER, of_kind

PERL = """
use SOAP::Lite;
my ($url, $id, $to) = @ARGV;
my $soap = SOAP::Lite->proxy($url)->uri('soap.clickatell.com');
my $ok = $soap->call('auth', $id, 'demo', 'stand-in')->result;
$ok =~ s/OK: //;
my $sent = $soap->call('sendmsg', $ok, 0, '', '', [$to], '447700900999', 'From Perl', 1, 0, 0, 0,
  0, 0, 0, 0, 1, 'abc123', 0, '', '', '', 0)->result;
my $asked = $soap->call('querymsg', $ok, 0, '', '', '', 'abc123')->result;
print "$sent->[0]\\n$asked->[0]";
"""


async def test_it_sends_by_place(play):
    perl = tool("perl", "perl")
    try:
        await run(perl, "-MSOAP::Lite", "-e", "1")
    except AssertionError:
        pytest.skip("no SOAP::Lite: apt-get install libsoap-lite-perl (Debian)")
    async with play() as played:
        said = await run(perl, "-e", PERL, played.gateway.urls["soap"], API_IDS["soap"], HANDSET)
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        sent, asked = said.split("\n")
        assert sent == f"ID: {event.message_id}"
        assert asked.startswith(f"ID: {event.message_id} Status: 00")
        assert (event.text, event.client_id, event.sender_id) == ("From Perl", "abc123", NUMBER)
