"""The way by FTP to pure-ftpd, another's server: virtual users, MLSD, and TLS on both channels."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from pipeline.cli.local.ports import free_port
from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.ways.ftp.way import FtpWay
from tests.ingest.ftp.test_vsftpd import await_listener
from tests.sender.ways.apis import SECRET, always, api_of, submission_of
from tests.sender.ways.test_ftp import NAME, NEXT, files_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = f"{os.environ['PATH']}:/usr/sbin"
PURE_FTPD, PURE_PW = (shutil.which(name, path=_PATH) or "" for name in ("pure-ftpd", "pure-pw"))
pytestmark = pytest.mark.skipif(
    not PURE_FTPD or not PURE_PW or os.geteuid() != 0,
    reason="needs root and pure-ftpd, where vsftpd is not: apt-get install pure-ftpd (Debian)",
)
USER = "1234"


@contextmanager
def pure_ftpd(*, tls: bool) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder of its only user, and how to reach it."""
    with tempfile.TemporaryDirectory(prefix="twoway-pure-ftpd-") as name:
        top, port = Path(name), free_port()
        top.chmod(0o755)
        (top / "files").mkdir()
        shutil.chown(top / "files", "ftp", "ftp")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(top / "authority.pem"))
        own = authority.issue_cert("127.0.0.1")
        own.private_key_and_cert_chain_pem.write_to_path(str(top / "server.pem"))
        words = [PURE_PW, "useradd", USER, "-f", "passwd", "-u", "ftp", "-d", str(top / "files")]
        twice = f"{SECRET}\n{SECRET}\n".encode()
        subprocess.run(words, cwd=top, input=twice, check=True, capture_output=True)
        subprocess.run([PURE_PW, "mkdb", "users.pdb", "-f", "passwd"], cwd=top, check=True)
        words = [PURE_FTPD, "-S", f"127.0.0.1,{port}", "-l", f"puredb:{top}/users.pdb", "-E"]
        words += ["-g", str(top / "pid"), "-Y", "2" if tls else "0"]
        if tls:
            words += ["-2", str(top / "server.pem")]
        process = subprocess.Popen(words)
        try:
            await_listener(port, process)
            given = {"tls": "on" if tls else "off", "ca": str(top / "authority.pem")}
            yield top / "files", {"port": port, **given}
        finally:
            process.terminate()
            process.wait()


@pytest.mark.parametrize("mode", ["suffix", "folder", "none"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_files_are_handed_over_once(tls: bool, mode: str) -> None:
    with pure_ftpd(tls=tls) as (folder, reached):
        (folder / "out").mkdir()
        shutil.chown(folder / "out", "ftp", "ftp")
        login = {"login_user": USER, "login_password": SECRET}
        login |= {"timeout_seconds": 30.0}  # its hash of a password is slow by design
        api = api_of(WayName.FTP, **reached, **login, folder="out", temporary=mode)
        way = FtpWay(api)
        assert "takes files" in await way.probe()
        for words in ("handed over by FTP", "already"):
            (answer,) = await way.submit(submission_of("line one\nline two"), always)
            assert answer.outcome is Outcome.SUBMITTED, answer
            assert words in answer.words
        assert list(files_of(folder)) == [f"out/{NAME}"]
        (answer,) = await way.submit(submission_of("next", command_id=NEXT), always)
        assert answer.outcome is Outcome.SUBMITTED
        assert len(files_of(folder)) == 2
        await way.close()
