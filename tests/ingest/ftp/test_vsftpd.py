"""vsftpd, a server that is not ours, which by default requires that TLS sessions are reused."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from ingest.ftp.settings import server_from_settings
from pipeline.cli.local.ports import free_port
from pipeline.peer.ftp.trouble import LoginRefused, Missing
from pipeline.settings import Settings
from tests.ingest.ftp.fakes import FakeKafka, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.ftp.client import FtpClient

VSFTPD = shutil.which("vsftpd", path=f"{os.environ['PATH']}:/usr/sbin") or ""
pytestmark = pytest.mark.skipif(
    not VSFTPD or os.geteuid() != 0,
    reason="needs root and vsftpd: apt-get install vsftpd (Debian)",
)
PATIENCE_SECONDS = 20.0
CONFIGURATION = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
no_anon_password=NO
anon_root={folder}
secure_chroot_dir={empty}
xferlog_enable=NO
seccomp_sandbox=NO
ssl_enable={tls}
allow_anon_ssl={tls}
force_anon_logins_ssl={tls}
force_anon_data_ssl={tls}
require_ssl_reuse={tls}
rsa_cert_file={certificate}
"""


@contextmanager
def vsftpd(*, tls: bool, more: str = "") -> Iterator[tuple[Path, Settings]]:
    """Its folder, which everyone may read, and its address; `more` are lines of settings."""
    with tempfile.TemporaryDirectory(prefix="twoway-vsftpd-") as name:
        top = Path(name)
        top.chmod(0o755)
        for each in ("files", "empty"):
            (top / each).mkdir(mode=0o755)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(top / "authority.pem"))
        own = authority.issue_cert("127.0.0.1")
        own.private_key_and_cert_chain_pem.write_to_path(str(top / "server.pem"))
        port = free_port()
        (top / "vsftpd.conf").write_text(
            CONFIGURATION.format(
                port=port,
                folder=top / "files",
                empty=top / "empty",
                tls="YES" if tls else "NO",
                certificate=top / "server.pem",
            )
            + more
        )
        settings = Settings(
            home=top / "home",
            ftp_host="127.0.0.1",
            ftp_port=port,
            ftp_user="anonymous",
            ftp_password="nobody@example.com",  # noqa: S106 - anonymous
            ftp_tls="on" if tls else "off",
            ftp_ca=str(top / "authority.pem"),
        )
        process = subprocess.Popen([VSFTPD, str(top / "vsftpd.conf")])
        try:
            await_listener(port, process)
            yield top / "files", settings
        finally:
            process.kill()
            process.wait()


def await_listener(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_log_is_followed_through_growth_and_rotation(tls: bool) -> None:
    lines = [b"2026-03-29 12:00:00\t2782\t4477\t%d\t\t%d" % (n, n) for n in range(20_000)]
    with vsftpd(tls=tls) as (folder, settings):
        log, kafka = folder / "mo.log", FakeKafka()
        server = server_from_settings(settings)
        watch = Watch(server, kafka)
        log.write_bytes(b"\n".join(lines[:9_000]))
        poll(watch, server)
        assert kafka.octets() == lines[:8_999]
        with log.open("ab") as file:
            file.write(b"\n" + b"\n".join(lines[9_000:15_000]) + b"\n")
        log.rename(folder / "mo.log.1")
        log.write_bytes(b"\n".join(lines[15_000:]) + b"\n")
        poll(watch, server)
        assert kafka.octets() == lines
        poll(watch, server)
        assert kafka.octets() == lines


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_file_is_read_from_an_octet_on_and_left_early(tls: bool) -> None:
    octets = bytes(range(256)) * 40_000
    with vsftpd(tls=tls) as (folder, settings):
        (folder / "mo.log").write_bytes(octets)
        server = server_from_settings(settings)
        with server.connected() as files:
            for start in (5_000_000, len(octets) - 1, len(octets), len(octets) + 9):
                with files.opened("mo.log", start) as blocks:
                    assert b"".join(blocks) == octets[start:]
            with files.opened("mo.log", 3) as blocks:
                assert octets[3:].startswith(next(blocks))
            assert files.size("mo.log") == len(octets)
            assert files.names() == ["mo.log"]
            assert files.listing() == files.listing()
            with pytest.raises(Missing), files.opened("no.log", 0):
                pass


def test_another_user_is_refused() -> None:
    with vsftpd(tls=True) as (_, settings):
        server = server_from_settings(replace(settings, ftp_user="somebody"))
        with pytest.raises(LoginRefused, match="530"), server.connected():
            pass


def poll(watch: Watch, server: FtpClient) -> None:
    with server.connected():
        watch.poll()
