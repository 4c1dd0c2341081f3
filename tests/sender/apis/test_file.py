"""`apis.toml`: what is accepted, and the words for every mistake; never a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.process.peer_words import peer_words
from pipeline.sender.apis.api import WayName
from pipeline.sender.apis.file import ApisError, apis_from_file, apis_from_toml, default_of

SECRET = "hush-4711-hush"
HTTP = {
    "api_id": "1",
    "way": "http",
    "url": "https://api.example.com",
    "user": "u",
    "password": SECRET,
}
SMPP = {"api_id": "2", "way": "smpp", "host": "smpp.example.com", "user": "u", "password": SECRET}
SMTP = SMPP | {"api_id": "3", "way": "smtp", "mail_to": "a@example.com"}
FTP = SMPP | {"api_id": "4", "way": "ftp"}
TABLES = {"http": HTTP, "smpp": SMPP, "smtp": SMTP, "ftp": FTP}


def read(*tables: object, path: Path = Path("apis.toml")) -> list:
    return apis_from_toml({"api": list(tables)}, path=path)


def without(table: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in table.items() if key != name}


def test_each_way_has_its_port_and_its_window() -> None:
    found = {api.way: (api.port, api.window) for api in read(HTTP, SMPP, SMTP, FTP)}
    assert {way: port for way, (port, _) in found.items()} == {
        WayName.HTTP: 0,
        WayName.SMPP: 2775,
        WayName.SMTP: 25,
        WayName.FTP: 21,
    }
    assert all(window > 0 for _, window in found.values())


def test_what_is_given_is_kept() -> None:
    (api,) = read(SMPP | {"api_id": 77, "rate": 5, "window": 3, "port": 99, "alphabet": "latin1"})
    assert (api.api_id, api.rate, api.window, api.port, api.alphabet) == (
        "77",
        5.0,
        3,
        99,
        "latin1",
    )


@pytest.mark.parametrize("name", ["api_id", "way", "url", "user", "password"])
def test_what_is_needed_and_not_there_is_named(name: str) -> None:
    with pytest.raises(ApisError, match=name):
        read(without(HTTP, name))


@pytest.mark.parametrize("way", ["smpp", "smtp", "ftp"])
def test_those_that_have_no_url_need_a_host(way: str) -> None:
    with pytest.raises(ApisError, match="host is missing"):
        read(without(TABLES[way], "host"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"way": "telex"}, "way is none of"),
        ({"colour": "red"}, "unknown colour"),
        ({"is_default": True}, "unknown is_default"),
        ({"url": "ftp://api.example.com"}, "url must begin"),
        ({"url": "https://"}, "url must begin"),
        ({"url": f"https://u:{SECRET}@api.example.com"}, "no user and no password"),
        ({"rate": "5"}, "rate must be a number"),
        ({"rate": True}, "rate must be a number"),
        ({"rate": -1}, "rate must not be negative"),
        ({"window": 1.5}, "window must be a whole number"),
        ({"window": True}, "window must be a whole number"),
        ({"timeout_seconds": 0}, "timeout_seconds must be above 0"),
        ({"timeout_seconds": 61}, "at most 60"),
        ({"callback": 8}, "callback must be 0 to 7"),
        ({"tls": "maybe"}, "tls is none of"),
        ({"query_by": "9"}, "names no API"),
        ({"password_env": "X"}, "set one"),
        ({"password": ""}, "must be a text"),
        ({"password": 4711}, "must be a text"),
    ],
)
def test_every_mistake_is_said_without_the_password(change: dict[str, object], words: str) -> None:
    with pytest.raises(ApisError, match=words) as said:
        read(HTTP | change)
    assert SECRET not in str(said.value)


def test_a_mail_needs_where_it_goes() -> None:
    with pytest.raises(ApisError, match="mail_to"):
        read(without(SMTP, "mail_to"))


@pytest.mark.parametrize("way", ["http", "smtp", "ftp"])
def test_what_carries_climsgid_may_be_asked_about_by_another(way: str) -> None:
    other = HTTP | {"api_id": "9"}
    assert read(TABLES[way] | {"query_by": "9"}, other)[0].query_by == "9"


def test_what_went_by_smpp_is_asked_about_by_nobody() -> None:
    """submit_sm carries no cliMsgId: the gateway would know none, and it would go twice."""
    with pytest.raises(ApisError, match="query_by"):
        read(SMPP | {"query_by": "9"}, HTTP | {"api_id": "9"})


@pytest.mark.parametrize("way", ["smpp", "smtp", "ftp"])
def test_only_an_api_that_answers_questions_is_asked(way: str) -> None:
    """Some ways answer no queries: their commands would stay unknown without a reason."""
    asked = TABLES[way] | {"api_id": "9"}
    with pytest.raises(ApisError, match="query_by"):
        read(HTTP | {"query_by": "9"}, asked)


def test_an_id_or_a_default_is_there_once() -> None:
    with pytest.raises(ApisError, match="twice"):
        read(HTTP, HTTP)
    with pytest.raises(ApisError, match="more than one"):
        read(HTTP | {"default": True}, SMPP | {"default": True})


def test_the_default_is_the_marked_one_or_the_only_one() -> None:
    assert default_of(read(HTTP)) == "1"
    assert default_of(read(HTTP, SMPP)) == ""
    assert default_of(read(HTTP, SMPP | {"default": True})) == "2"


@pytest.mark.parametrize("document", [{}, {"api": []}, {"api": {}}, {"api": ["x"]}, {"apis": []}])
def test_a_document_without_apis_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ApisError):
        apis_from_toml(document, path=Path("apis.toml"))


TOML = """[[api]]
api_id = "1"
way = "http"
url = "https://api.example.com"
user = "u"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "apis.toml"
    path.touch(mode=0o600)
    path.write_text(f'{TOML}password = "{SECRET}"\n')
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_use_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(ApisError, match="chmod 600"):
        apis_from_file(file)


def test_its_passwords_are_masked_from_then_on(file: Path) -> None:
    apis_from_file(file)
    assert SECRET not in peer_words(f"user u, password {SECRET}")


def test_a_password_may_be_in_a_file_beside_it(file: Path) -> None:
    file.write_text(f'{TOML}password_file = "secret"\n')
    (file.parent / "secret").write_text(f"{SECRET}\r\n")
    assert apis_from_file(file)[0].password == SECRET


def test_a_password_may_be_in_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PASSWORD", SECRET)
    file.write_text(f'{TOML}password_env = "GATEWAY_PASSWORD"\n')
    assert apis_from_file(file)[0].password == SECRET
    monkeypatch.delenv("GATEWAY_PASSWORD")
    with pytest.raises(ApisError, match="password_env names no"):
        apis_from_file(file)


def test_a_password_in_the_place_of_its_variable_is_not_said(file: Path) -> None:
    file.write_text(f'{TOML}password_env = "{SECRET}"\n')
    with pytest.raises(ApisError) as said:
        apis_from_file(file)
    assert SECRET not in str(said.value)


@pytest.mark.parametrize("octets", [b"\xff\xfe", b"[[api]]\napi_id = 1\napi_id = ", b"[[api"])
def test_what_is_no_toml_is_refused_with_the_file_named(file: Path, octets: bytes) -> None:
    file.write_bytes(octets)
    with pytest.raises(ApisError, match=r"apis\.toml"):
        apis_from_file(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ApisError, match=r"apis\.toml"):
        apis_from_file(tmp_path / "apis.toml")
