"""The way by FTP to vsftpd, which is not ours, and has neither MLST nor new TLS sessions."""

from __future__ import annotations

import shutil

import pytest

from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.ways.ftp.way import FtpWay
from tests.ingest.ftp import test_vsftpd as peer
from tests.sender.ways.apis import always, api_of, submission_of
from tests.sender.ways.test_ftp import NAME, NEXT, files_of

pytestmark = peer.pytestmark
WRITING = """
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
"""


@pytest.mark.parametrize("mode", ["suffix", "folder", "none"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_files_are_handed_over_once(tls: bool, mode: str) -> None:
    with peer.vsftpd(tls=tls, more=WRITING) as (folder, settings):
        (folder / "out").mkdir()
        shutil.chown(folder / "out", "ftp", "ftp")
        api = api_of(
            WayName.FTP,
            settings.ftp_port,
            tls=settings.ftp_tls,
            ca=settings.ftp_ca,
            login_user=settings.ftp_user,
            login_password=settings.ftp_password,
            folder="out",
            temporary=mode,
        )
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
