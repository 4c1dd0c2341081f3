"""`twoway user`: the file it leaves, and that no password is a word of a command line."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.report.caller import Right
from pipeline.store.report.who.password import is_password_of
from pipeline.store.report.who.users_file import USERS_FILE, users_from_file
from tests.cli.test_main import ALL, run

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse battery"


@pytest.fixture
def user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    def call(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        return run(["user", *words, "--home", str(tmp_path)], monkeypatch, capsys)

    return call


def test_a_user_comes_changes_and_goes(user: Any, tmp_path: Path) -> None:
    file = tmp_path / USERS_FILE
    assert user("add", "anna", "--right", "texts", stdin=f"{PASSWORD}\nmore\n")[0] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text()
    anna = (users_from_file(file) or {})["anna"]
    assert is_password_of(anna.password, PASSWORD)
    assert anna.rights == {Right.TEXTS}
    assert user("rights", "anna", "--right", "sql", "--right", "numbers")[0] == 0
    _, out, _ = user("list", "--json")
    assert json.loads(out) == {"name": "anna", "rights": ["numbers", "sql"]}
    assert user("password", "anna", stdin="another password")[0] == 0
    anna = (users_from_file(file) or {})["anna"]
    assert is_password_of(anna.password, "another password")
    assert anna.rights == {Right.SQL, Right.NUMBERS}
    assert user("remove", "anna")[0] == 0
    assert users_from_file(file) == {}
    assert user("list")[1] == "there are no users\n"


@pytest.mark.parametrize(
    ("words", "stdin", "said"),
    [
        (["add", "anna"], "short\n", "a password has"),
        (["add", "an na"], PASSWORD, "a name has"),
        (["add", "anna", "--right", "all"], PASSWORD, "the rights are numbers"),
        (["add", "bert"], PASSWORD, "there is a user"),
        (["add", "BERT"], PASSWORD, "there is a user"),
        (["rights", "anna"], "", "there is no user anna; there are bert"),
        (["password", "anna"], PASSWORD, "there is no user"),
        (["remove", "anna"], "", "there is no user"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    user: Any, tmp_path: Path, words: list[str], stdin: str, said: str
) -> None:
    user("add", "bert", stdin=PASSWORD)
    before = (tmp_path / USERS_FILE).read_text()
    code, _, err = user(*words, stdin=stdin)
    assert code == 1
    assert said in err
    assert (tmp_path / USERS_FILE).read_text() == before


def test_a_broken_file_is_not_written_over(user: Any, tmp_path: Path) -> None:
    file = tmp_path / USERS_FILE
    file.write_text("[[user]]\nname = 3\n")
    file.chmod(0o600)
    code, _, err = user("add", "anna", stdin=PASSWORD)
    assert code == 1
    assert f"{file}:2: user.name" in err
    assert file.read_text() == "[[user]]\nname = 3\n"


def test_no_command_takes_a_password_as_a_word() -> None:
    for name, command in ALL.items():
        if name.startswith("user "):
            names = {param.name for param in command.params}
            assert names <= {"name", "rights", "json", "home"}, name
