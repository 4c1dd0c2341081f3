"""What a poll needs from a server, with a real server that has or lacks each feature."""

from __future__ import annotations

import socket
from threading import Timer
from typing import TYPE_CHECKING, Any

import pytest

from ingest.ftp.settings import server_from_settings
from pipeline.peer.ftp import bounds as ftp_bounds
from pipeline.peer.ftp.trouble import LoginRefused, Missing, Trouble
from tests.ingest.ftp.peer import HangsUp, Peer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.ftp.client import FtpClient

WRONG = "another-secret"
OCTETS = bytes(range(256)) * 4_000  # a megabyte, no text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "ftp"
    found.mkdir()
    (found / "mo.log").write_bytes(OCTETS)
    return found


def server_of(peer: Peer, **given: Any) -> FtpClient:
    return server_from_settings(peer.settings(peer.folder.parent, **given))


def read(server: FtpClient, name: str, start: int) -> bytes:
    with server.opened(name, start) as blocks:
        return b"".join(blocks)


@pytest.fixture(params=["off", "on"])
def peer(request: pytest.FixtureRequest, folder: Path) -> Iterator[Peer]:
    with serving(folder, tls=request.param == "on") as found:
        yield found


@pytest.mark.parametrize("start", [0, 1, 65_536, len(OCTETS) - 1, len(OCTETS)])
def test_a_file_is_read_from_an_octet_on(peer: Peer, start: int) -> None:
    with server_of(peer).connected() as files:
        assert read(files, "mo.log", start) == OCTETS[start:]
    assert peer.sent("REST") == ([str(start)] if start else [])


def test_a_transfer_that_is_left_early_does_not_harm_the_next(peer: Peer) -> None:
    with server_of(peer).connected() as files:
        for _ in range(3):
            with files.opened("mo.log", 0) as blocks:
                assert OCTETS.startswith(next(blocks))
            with files.opened("mo.log", 5):
                pass
        assert read(files, "mo.log", 9) == OCTETS[9:]
        assert files.size("mo.log") == len(OCTETS)


def test_a_folder_is_listed(peer: Peer) -> None:
    (peer.folder / "mo.log.1").write_bytes(b"1")
    (peer.folder / "ünï.log").write_bytes(b"1")
    with server_of(peer).connected() as files:
        assert sorted(files.names())[:2] == ["mo.log", "mo.log.1"]
        before = files.listing()
        assert before == files.listing()
        (peer.folder / "mo.log").rename(peer.folder / "mo.log.2")
        assert before != files.listing()
        (other,) = (name for name in files.names() if not name.startswith("mo"))
        assert read(files, other, 0) == b"1"


def test_an_empty_folder_and_an_empty_file(peer: Peer) -> None:
    (peer.folder / "mo.log").write_bytes(b"")
    with server_of(peer).connected() as files:
        assert read(files, "mo.log", 0) == b""
        (peer.folder / "mo.log").unlink()
        assert files.names() == []


@pytest.mark.parametrize(("name", "start"), [("no.log", 0), ("no.log", 5), ("mo.log", 2**40)])
def test_what_is_not_there_is_missing(peer: Peer, name: str, start: int) -> None:
    with server_of(peer).connected() as files:
        with pytest.raises(Missing), files.opened(name, start):
            pass
        assert files.size("no.log") is None
        assert read(files, "mo.log", len(OCTETS) - 1) == OCTETS[-1:]


def test_a_log_in_another_folder(peer: Peer) -> None:
    (peer.folder / "in" / "here").mkdir(parents=True)
    (peer.folder / "in" / "here" / "é.log").write_bytes(b"there")
    for path in ("in/here/é.log", "/in/here/é.log"):
        server = server_of(peer, ftp_path=path)
        with server.connected() as files:
            assert read(files, server.name, 1) == b"here"
    with pytest.raises(Trouble), server_of(peer, ftp_path="no/mo.log").connected():
        pass


@pytest.mark.parametrize("tls", [False, True])
def test_without_rest_what_is_known_is_skipped(folder: Path, tls: bool) -> None:
    with (
        serving(folder, tls=tls, lacks=("REST", "SIZE")) as peer,
        server_of(peer).connected() as files,
    ):
        assert files.size("mo.log") is None
        for start in (1_000_000, 17, len(OCTETS), 2**40):
            assert read(files, "mo.log", start) == OCTETS[start:]
        with pytest.raises(Missing), files.opened("no.log", 5):
            pass


def test_an_address_behind_a_nat_is_not_believed(folder: Path) -> None:
    with serving(folder, masquerade_address="192.0.2.1") as peer:
        with server_of(peer).connected() as files:
            assert read(files, "mo.log", 0) == OCTETS
        assert peer.sent("PASV")


def test_where_pasv_is_unknown_epsv_is_asked(folder: Path) -> None:
    with serving(folder, lacks=("PASV",)) as peer:
        with server_of(peer).connected() as files:
            assert read(files, "mo.log", 0) == OCTETS
        assert peer.sent("EPSV")


def has_ip_version_6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ip_version_6(), reason="this machine has no ::1")
def test_by_ip_version_6(folder: Path) -> None:
    with serving(folder, host="::1") as peer, server_of(peer).connected() as files:
        assert read(files, "mo.log", 3) == OCTETS[3:]
        assert peer.sent("PASV") == []


def test_a_wrong_password_is_told_apart_and_not_repeated(peer: Peer) -> None:
    server = server_of(peer, ftp_password=WRONG)
    with pytest.raises(LoginRefused) as refused, server.connected():
        pass
    assert "530" in str(refused.value)
    assert WRONG not in str(refused.value)


def test_no_password_is_sent_to_a_server_that_refuses_tls(folder: Path) -> None:
    with serving(folder) as peer:
        server = server_of(peer, ftp_tls="on", ftp_ca="")
        with pytest.raises(Trouble, match="refuses to go on"), server.connected():
            pass
        assert peer.sent("AUTH") == ["TLS"]
        assert peer.sent("USER") == peer.sent("PASS") == []


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"ftp_ca": ""}, id="unknown-authority"),
        pytest.param({"ftp_host": "localhost"}, id="another-name"),
    ],
)
def test_no_password_is_sent_to_a_server_that_cannot_prove_who_it_is(
    folder: Path, given: dict[str, str]
) -> None:
    with serving(folder, tls=True) as peer:
        with pytest.raises(Trouble) as trouble, server_of(peer, **given).connected():
            pass
        assert trouble.value.kind == "untrusted"
        assert peer.sent("USER") == peer.sent("PASS") == []


def test_data_go_over_tls_too(folder: Path) -> None:
    with serving(folder, tls=True) as peer:
        with server_of(peer).connected() as files:
            read(files, "mo.log", 0)
        assert peer.sent("PROT") == ["P"]


def test_nobody_listens(peer: Peer) -> None:
    server = server_of(peer, ftp_port=1)
    with pytest.raises(Trouble) as trouble, server.connected():
        pass
    assert trouble.value.kind == "unreachable"


def read_until_trouble(server: FtpClient) -> tuple[bytes, Trouble]:
    """What arrived of a transfer that failed, and why it failed."""
    came = b""
    try:
        with server.connected() as files, files.opened("mo.log", 0) as blocks:
            for block in blocks:
                came += block
    except Trouble as trouble:
        return came, trouble
    raise AssertionError("it ended well")


def test_of_a_server_that_hangs_up_in_the_middle_what_came_is_kept(folder: Path) -> None:
    with serving(folder, dtp_handler=HangsUp) as peer:
        came, trouble = read_until_trouble(server_of(peer))
    assert trouble.kind == "broken"
    assert 0 < len(came) < len(OCTETS)
    assert OCTETS.startswith(came)


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        pytest.param({"sent_a_second": 1_000}, False, id="stalls"),
        pytest.param({"mutes": "226"}, True, id="does-not-confirm"),
    ],
)
def test_a_server_that_falls_silent_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], whole: bool
) -> None:
    monkeypatch.setattr(ftp_bounds, "ANSWER_SECONDS", 0.3)
    with serving(folder, **given) as peer:
        came, trouble = read_until_trouble(server_of(peer))
    assert trouble.kind == "timeout"
    assert OCTETS.startswith(came)
    assert (came == OCTETS) is whole


def test_a_poll_that_is_ended_ends(folder: Path) -> None:
    with serving(folder, sent_a_second=1_000) as peer:
        server = server_of(peer)
        Timer(0.2, server.abort).start()
        came, _ = read_until_trouble(server)
    assert len(came) < len(OCTETS)
