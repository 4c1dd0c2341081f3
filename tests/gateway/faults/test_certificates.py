"""TLS on the stand-in's own ports: a certificate to trust, and by a fault one that is not."""

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from pipeline.gateway.certificates import AUTHORITY, RIGHT, WRONG, Certificates
from pipeline.gateway.faults.kinds import BY_NAME, WAYS
from pipeline.gateway.faults.reading import rules_from
from pipeline.gateway.world import EventKind
from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from tests.gateway.ways import always, of_kind, submission, until, way_to

OVER_HTTP = {"http", "xml", "soap"}


def secret(played, way):
    gateway = played.gateway
    given = {"tls": "on", "ca": str(gateway.certificates.authority), "timeout_seconds": 5.0}
    if way in OVER_HTTP:
        return given | {"url": gateway.urls["https"]}
    return given | ({"port": gateway.smpp.tls_port} if way == "smpp" else {})


@pytest.mark.parametrize("way", WAYS)
async def test_a_client_that_trusts_the_authority_sends(play, way):
    async with (
        play() as played,
        way_to(played.gateway, WayName(way), **secret(played, way)) as opened,
    ):
        (answer,) = await opened.submit(submission(), always)
        assert answer.outcome is Outcome.SUBMITTED
        await until(lambda: of_kind(played.gateway, EventKind.SUBMITTED))


@pytest.mark.parametrize("way", WAYS)
async def test_a_wrong_certificate_is_met_before_anything_is_sent(play, way):
    async with play() as played:
        rule = f'[[fault]]\ndo = "wrong-certificate"\nway = "{way}"\n'
        played.gateway.all_faults.use(rules_from(rule, origin="x"))
        async with way_to(played.gateway, WayName(way), **secret(played, way)) as opened:
            (answer,) = await opened.submit(submission(), always)
        assert answer.outcome is Outcome.FAILED
        assert not of_kind(played.gateway, EventKind.SUBMITTED)
        assert {event.facts["fault"] for event in of_kind(played.gateway, EventKind.FAULT)} == {
            "wrong-certificate"
        }


@pytest.mark.parametrize("way", WAYS)
async def test_the_magic_handset_spoils_the_next_connection(play, way):
    async with play() as played:
        given = secret(played, way)
        magic = submission(handset=BY_NAME["wrong-certificate"].handset)
        outcomes = []
        for sent in (magic, submission(), submission(), submission()):
            async with way_to(played.gateway, WayName(way), **given) as opened:
                (answer,) = await opened.submit(sent, always)
            outcomes.append(answer.outcome)
        assert outcomes[0] is not Outcome.SUBMITTED
        assert outcomes[2:] == [Outcome.SUBMITTED] * 2
        if way != "ftp":  # which connects again at once, and looks for the file
            assert outcomes[1] is Outcome.FAILED
        played_twice = [event.handset for event in of_kind(played.gateway, EventKind.FAULT)]
        assert played_twice == [magic.command.handset, ""]


def test_the_files_are_made_once_and_anew_for_another_name(tmp_path):
    Certificates(tmp_path, ("localhost", "127.0.0.1")).make()
    first = (tmp_path / AUTHORITY).read_bytes()
    for name in (RIGHT, WRONG):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    Certificates(tmp_path, ("127.0.0.1",)).make()
    assert (tmp_path / AUTHORITY).read_bytes() == first
    Certificates(tmp_path, ("localhost", "gateway.example")).make()
    assert (tmp_path / AUTHORITY).read_bytes() != first


@pytest.mark.parametrize("octets", [b"", b"-----BEGIN CERTIFICATE-----\n", b"\xff\x00"])
@pytest.mark.parametrize("name", [AUTHORITY, RIGHT])
def test_a_spoilt_file_is_made_anew(tmp_path, name, octets):
    Certificates(tmp_path, ("localhost",)).make()
    (tmp_path / name).write_bytes(octets)
    Certificates(tmp_path, ("localhost",)).make()
    found = x509.load_pem_x509_certificate((tmp_path / RIGHT).read_bytes())
    found.verify_directly_issued_by(
        x509.load_pem_x509_certificate((tmp_path / AUTHORITY).read_bytes())
    )
    assert found.not_valid_after_utc > datetime.now(UTC) + timedelta(days=800)
    ssl.create_default_context(cafile=str(tmp_path / AUTHORITY))
