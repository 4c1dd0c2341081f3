"""`mo.log` at a real FTP server, pyftpdlib's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyftpdlib.authorizers import DummyAuthorizer

from pipeline.delivery.secrets_file import Credentials
from pipeline.delivery.ways.ftp import FtpReplyWay
from tests.delivery.test_forms import path_by
from tests.delivery.ways.test_http import order_by
from tests.ingest.ftp.peer import PASSWORD, USER, serving
from tests.support.delivering import message

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.delivery.way import Seen


WRONG = "another-secret"


def may_write(folder: Path) -> DummyAuthorizer:
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmw")
    return authorizer


async def appended(
    url: str, *ids: str, password: str = PASSWORD, tls: str = "on", seconds: int = 5
) -> Seen:
    path = path_by("ftp", url=url, tls=tls, timeout_seconds=seconds)
    way = FtpReplyWay(path, Credentials(user=USER, password=password))
    try:
        for each in ids:
            seen = await way.deliver(order_by(path, message(each)), message(each))
    finally:
        await way.close()
    return seen


def ids_in(file: Path) -> list[str]:
    return [line.split("\t")[5] for line in file.read_text().splitlines()]


async def test_lines_are_appended_over_one_connection(tmp_path: Path) -> None:
    with serving(tmp_path, authorizer=may_write(tmp_path)) as peer:
        seen = await appended(f"ftp://{peer.host}:{peer.port}/mo.log", "m1", "m2", "m3")
        assert seen.is_delivered
        assert seen.status == "226"
        assert ids_in(tmp_path / "mo.log") == ["m1", "m2", "m3"]
        assert len(peer.sent("USER")) == 1


async def test_a_password_that_is_wrong_has_failed_and_is_not_repeated(tmp_path: Path) -> None:
    with serving(tmp_path, authorizer=may_write(tmp_path)) as peer:
        url = f"ftp://{peer.host}:{peer.port}/mo.log"
        seen = await appended(url, "m1", password=WRONG)
    assert not seen.is_delivered
    assert WRONG not in seen.words


async def test_a_folder_that_is_not_there_has_failed(tmp_path: Path) -> None:
    with serving(tmp_path, authorizer=may_write(tmp_path)) as peer:
        seen = await appended(f"ftp://{peer.host}:{peer.port}/no/mo.log", "m1")
    assert (seen.is_delivered, seen.status) == (False, "550")


async def test_a_name_cannot_hold_a_command(tmp_path: Path) -> None:
    with serving(tmp_path, authorizer=may_write(tmp_path)) as peer:
        seen = await appended(f"ftp://{peer.host}:{peer.port}/mo.log%0d%0aDELE%20x", "m1")
        assert not seen.is_delivered
        assert peer.sent("DELE") == []


async def test_nobody_there_has_failed() -> None:
    assert not (await appended("ftp://127.0.0.1:1/mo.log", "m1")).is_delivered


@pytest.mark.parametrize("tls", ["on", "encrypt-only"])
async def test_tls_is_checked_unless_the_path_says_otherwise(tmp_path: Path, tls: str) -> None:
    folder = tmp_path / "ftp"
    folder.mkdir()
    with serving(folder, tls=True, authorizer=may_write(folder)) as peer:
        seen = await appended(f"ftps://{peer.host}:{peer.port}/mo.log", "m1", tls=tls)
    assert seen.is_delivered == (tls == "encrypt-only")
