"""The way by SMTP to servers of others: aiosmtpd under STARTTLS, and exim."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import shutil
import ssl
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from pipeline.cli.local.ports import free_port
from pipeline.records import Outcome
from pipeline.sender.way import Trouble
from pipeline.sender.ways.smtp.way import SmtpWay
from tests.sender.ways.apis import always, submission_of
from tests.sender.ways.mail_server import lines_of, smtp_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EXIM = shutil.which("exim4", path="/usr/sbin:/usr/bin") or ""
PATIENCE_SECONDS = 20.0
LOGIN = {"login_user": "me", "login_password": "relay-secret"}
TEXT = "line one\n.\nline two"
EXIM_CONFIGURATION = """
primary_hostname = mail.example.com
spool_directory = {folder}/spool
log_file_path = {folder}/log-%s
pid_file_path = {folder}/pid
exim_user = {user}
exim_group = {group}
never_users =
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts = *
tls_certificate = {folder}/server.pem
acl_smtp_rcpt = accept_all
begin acl
accept_all:
  accept
begin routers
all:
  driver = accept
  transport = kept
begin transports
kept:
  driver = appendfile
  file = {folder}/mails
  user = {user}
  group = {group}
"""


class Handler:
    """The mails that aiosmtpd took."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(envelope.original_content)
        return "250 OK"


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    is_right = (data.login, data.password) == (b"me", b"relay-secret")
    return AuthResult(success=is_right, handled=True)


@asynccontextmanager
async def aiosmtpd(
    folder: Path, *, certified: str = "127.0.0.1"
) -> AsyncIterator[tuple[int, Handler]]:
    """A server that takes mails only under TLS and after a login."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(certified).configure_cert(context)
    handler = Handler()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            handler,
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=authenticate,
        ),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1], handler
    finally:
        server.close()


@asynccontextmanager
async def way_to(port: int, folder: Path, **given: Any) -> AsyncIterator[SmtpWay]:
    ca = str(folder / "authority.pem")
    way = SmtpWay(smtp_api(port, **{"tls": "on", "ca": ca} | given))
    try:
        yield way
    finally:
        await way.close()


async def test_mails_under_starttls(tmp_path: Path) -> None:
    async with aiosmtpd(tmp_path) as (port, handler), way_to(port, tmp_path, **LOGIN) as way:
        for _ in range(2):
            (answer,) = await way.submit(submission_of(TEXT), always)
            assert answer.outcome is Outcome.SUBMITTED
        assert len(handler.mails) == 2
        assert "text:." in list(lines_of(handler.mails[0]))
        assert "takes mails" in await way.probe()


async def test_a_wrong_certificate_gets_no_password(tmp_path: Path) -> None:
    async with (
        aiosmtpd(tmp_path, certified="mail.example.com") as (port, handler),
        way_to(port, tmp_path, **LOGIN) as way,
    ):
        (answer,) = await way.submit(submission_of(TEXT), always)
        assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
        assert handler.mails == []


@pytest.mark.skipif(not EXIM, reason="no exim4: apt-get install exim4-daemon-light (Debian)")
async def test_exim_keeps_what_was_handed_over() -> None:
    with tempfile.TemporaryDirectory(prefix="twoway-exim-") as name:
        await hand_over_to_exim(Path(name))


async def hand_over_to_exim(folder: Path) -> None:
    """It gives up root's rights, so it has a folder of its own."""
    user = "Debian-exim" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    folder.chmod(0o755)  # noqa: ASYNC240 - a test
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    own = authority.issue_cert("127.0.0.1")
    own.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    for path in (folder, folder / "server.pem"):
        shutil.chown(path, user, group)
    port = free_port()
    configuration = folder / "exim.conf"
    configuration.write_text(
        EXIM_CONFIGURATION.format(folder=folder, user=user, group=group, port=port)
    )
    process = await asyncio.create_subprocess_exec(EXIM, "-bdf", "-C", str(configuration))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), way_to(port, folder) as way:
            while (answer := (await way.submit(submission_of(TEXT), always))[0]).trouble:
                if answer.trouble is Trouble.NONE:
                    break
                await asyncio.sleep(0.05)
            assert answer.outcome is Outcome.SUBMITTED
            while not (kept := folder / "mails").exists():  # noqa: ASYNC110 - nothing says when
                await asyncio.sleep(0.05)
        lines = kept.read_text().splitlines()
        assert lines.count("to:447700900123") == 1
        assert [line for line in lines if line.startswith("text:")] == [
            "text:line one",
            "text:.",
            "text:line two",
        ]
    finally:
        process.terminate()
        await process.wait()
