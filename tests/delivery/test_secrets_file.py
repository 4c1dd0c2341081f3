"""`reply-secrets.toml`: who may read it, and that no error repeats a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.delivery.secrets_file import Credentials, SecretsError, credentials_from_file
from pipeline.process.peer_words import peer_words
from pipeline.wire.webhook import key_from_secret

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLDER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "reply-secrets.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def read(path: Path) -> dict[str, Credentials]:
    return credentials_from_file(path, must_be_there=True)


def test_secrets_and_logins_are_read_and_masked_from_then_on(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from-a-file\n")
    text = (
        f'[crm]\nsecrets = ["{SECRET}", "{OLDER}"]\n'
        '[log]\nuser = "me"\npassword_file = "pw"\n[plain]\n'
    )
    assert read(written(tmp_path, text)) == {
        "crm": Credentials(keys=(key_from_secret(SECRET), key_from_secret(OLDER))),
        "log": Credentials(user="me", password="from-a-file"),  # noqa: S106 - of a test
        "plain": Credentials(),
    }
    for secret in (SECRET, OLDER, "from-a-file"):
        assert secret not in peer_words(f"they said {secret} to us")


def test_a_home_without_the_file_has_none(tmp_path: Path) -> None:
    assert credentials_from_file(tmp_path / "no.toml", must_be_there=False) == {}
    with pytest.raises(SecretsError):
        read(tmp_path / "no.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[crm]\nsecrets = ["whsec_short"]\n', "crm: a secret"),
        (f'[crm]\nsecrets = "{SECRET}"\n', "crm: secrets must be a list"),
        ('[crm]\nuser = "me"\n', "crm: user and password belong together"),
        ('[crm]\nuser = "me"\npassword = "s3cr3t-x"\npassword_env = "X"\n', "set one"),
        ('[crm]\nuser = "me"\npassword_env = "NO_SUCH_VARIABLE"\n', "NO_SUCH_VARIABLE"),
        ('[crm]\nuser = "me"\npassword_file = "no"\n', "FileNotFoundError"),
        ('[crm]\ntoken = "s3cr3t-x"\n', "unknown token"),
        ('crm = "s3cr3t-x"\n', "must be a table"),
        ("[crm\n", "line 1"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SecretsError, match=words) as refused:
        read(written(tmp_path, text))
    for secret in ("s3cr3t-x", SECRET, "whsec_short"):
        assert secret not in str(refused.value)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretsError, match="chmod 600"):
        read(written(tmp_path, "[crm]\n", mode=0o640))
