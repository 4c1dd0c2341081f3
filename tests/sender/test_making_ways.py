"""APIs by SMPP, SMTP and FTP: from `apis.toml` to a way, or to the words of a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.sender.apis.api import UnusableApi
from pipeline.sender.apis.file import apis_from_file
from pipeline.sender.ways.ftp.way import FtpWay
from pipeline.sender.ways.make import way_of
from pipeline.sender.ways.smtp.way import SmtpWay

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.sender.apis.api import Api

MAIL = 'mail_to = "sms@messaging.clickatell.com"\nmail_from = "two@example.com"\n'


def api_from(folder: Path, way: str, more: str = "") -> Api:
    file = folder / "apis.toml"
    lines = f'[[api]]\napi_id = 1234\nway = "{way}"\nhost = "127.0.0.1"\ntls = "off"\n'
    file.write_text(f'{lines}user = "customer"\npassword = "hush"\n{more}')
    file.chmod(0o600)
    (api,) = apis_from_file(file)
    return api


@pytest.mark.parametrize(
    ("way", "more", "kind", "port"),
    [
        ("smtp", MAIL, SmtpWay, 25),
        ("ftp", 'temporary = "folder"\n', FtpWay, 21),
    ],
)
def test_a_way_is_made(way: str, more: str, kind: type, port: int, tmp_path: Path) -> None:
    api = api_from(tmp_path, way, more)
    assert (api.port, api.api_id) == (port, "1234")
    assert isinstance(way_of(api), kind)


@pytest.mark.parametrize(
    "given",
    [
        'login_password = "of-the-server"\n',
        'login_password_file = "ftp.password"\n',
        'login_password_env = "FTP_PASSWORD"\n',
    ],
    ids=["written", "file", "environment"],
)
def test_the_password_of_the_server_is_one_of_its_own(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ftp.password").write_text("of-the-server\n")
    monkeypatch.setenv("FTP_PASSWORD", "of-the-server")
    api = api_from(tmp_path, "ftp", given)
    assert (api.password, api.login_password) == ("hush", "of-the-server")


@pytest.mark.parametrize(
    ("way", "more", "words"),
    [
        ("smtp", MAIL.replace("two@", "two two@"), "API 1234: mail_from must be"),
    ],
)
def test_what_no_way_can_be_made_of(way: str, more: str, words: str, tmp_path: Path) -> None:
    api = api_from(tmp_path, way, more)
    with pytest.raises(UnusableApi, match=words):
        way_of(api)
