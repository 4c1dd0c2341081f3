"""Users, sessions and forms: who is let in, for how long, and what another site can do."""

from __future__ import annotations

import contextlib
import statistics
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.report import signing_in
from pipeline.store.report.caller import EVERYTHING, Right
from pipeline.store.report.who import sessions, tries, users_now
from pipeline.store.report.who.home_secrets import (
    KEY_FILE,
    TOKEN_FILE,
    HomeSecrets,
    HomeSecretsError,
    secrets_of_home,
    token_of_home,
)
from pipeline.store.report.who.password import (
    BadPassword,
    hash_from_password,
    is_hash,
    is_password_of,
)
from pipeline.store.report.who.sessions import Sessions
from pipeline.store.report.who.tries import SignInTries
from pipeline.store.report.who.users_file import (
    USERS_FILE,
    User,
    UsersError,
    users_from_file,
    users_from_toml,
    write_users,
)
from pipeline.web.access import AccessError
from tests.store.report.serving_report import Running, form_token_of, sign_in
from tests.support.hashed_password import HASH, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.store.clickhouse.database import Database

ANNA = User(name="anna", password=HASH, rights=EVERYTHING)
TOKEN = "ab" * 32
SECRETS = HomeSecrets(token=TOKEN, key=bytes(64))
HTML = {"Accept": "text/html"}
#: A page that asks nothing of the store, with the form to sign out.
LIGHT = "/conversation"


class Home:
    """The users of a test, which may change."""

    def __init__(self) -> None:
        self.users: Any = {"anna": ANNA}

    def read(self) -> Any:
        if isinstance(self.users, Exception):
            raise self.users
        return self.users


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(users_now, "LOOK_SECONDS", 0.0)
    return Home()


@contextlib.contextmanager
def serving(database: Database, home: Home, **settings: Any) -> Iterator[Running]:
    opened = Running(database, read_users=home.read, home_secrets=SECRETS, **settings)
    try:
        yield opened
    finally:
        opened.stop()


@pytest.fixture(scope="module", autouse=True)
def password_checked_once() -> Iterator[None]:
    """That signing in takes its time is tested by itself, and on the function alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing_in, "is_password_of", cache(is_password_of))
        yield


@pytest.fixture
def running(database: Database, home: Home) -> Iterator[Running]:
    with serving(database, home) as opened:
        yield opened


# Signing in and out


def test_a_page_asks_to_sign_in_and_goes_on_to_what_was_asked_for(running: Running) -> None:
    asked = running.client.get("/list/lines?rows=20", headers=HTML)
    assert asked.status_code == 401
    assert 'name="next" value="list/lines?rows=20"' in asked.text
    form = {"form_token": form_token_of(asked.text), "name": "anna", "password": PASSWORD}
    answer = running.client.post("/sign-in", data=form | {"next": "list/lines?rows=20"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "list/lines?rows=20")
    page = running.client.get("/list/lines?rows=20", headers=HTML)
    assert page.status_code == 200
    assert "anna" in page.text


def test_the_cookie_is_for_our_pages_alone(running: Running) -> None:
    answer = sign_in(running.client, "anna", PASSWORD)
    (cookie, *_) = [c for c in answer.headers.get_list("Set-Cookie") if "session=" in c]
    assert {part.strip() for part in cookie.split(";")[1:]} == {
        "HttpOnly", "SameSite=Strict", "Path=/",
    }  # fmt: skip
    assert len(cookie.partition("=")[2].partition(";")[0]) >= 43  # 32 octets


def test_behind_tls_the_cookie_is_secure_and_of_this_host_alone(
    database: Database, home: Home
) -> None:
    """RFC 6265bis 4.1.3.2."""
    with serving(database, home, report_url="https://reports.example.com") as opened:
        page = opened.client.get("/sign-in")
        form = {"form_token": form_token_of(page.text), "name": "anna", "password": PASSWORD}
        # A client does not send a Secure cookie back without TLS, so it is shown by hand.
        held = page.headers["Set-Cookie"].partition(";")[0]
        answer = opened.client.post("/sign-in", data=form, headers={"Cookie": held})
    assert answer.status_code == 303
    cookies = answer.headers.get_list("Set-Cookie")
    assert all("; Secure" in each and each.startswith("__Host-twoway-") for each in cookies)


def test_signing_out_ends_the_session(running: Running) -> None:
    sign_in(running.client, "anna", PASSWORD)
    (held,) = [f"{name}={value}" for name, value in running.client.cookies.items()]
    token = form_token_of(running.client.get(LIGHT).text)
    assert running.client.post("/sign-out", data={"form_token": token}).status_code == 303
    assert running.client.get(LIGHT, headers={"Cookie": held}).status_code == 401


def test_a_session_ends_after_twelve_hours() -> None:
    now = [0.0]
    held = Sessions(lambda: now[0])
    cookie = held.sign_in("anna", "password")  # type: ignore[arg-type]
    now[0] = 12 * 3600 - 1
    assert held.find(cookie)
    now[0] = 12 * 3600
    assert held.find(cookie) is None


def test_sessions_are_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST", 3)
    held = Sessions()
    cookies = [held.sign_in(f"u{n}", "password") for n in range(4)]  # type: ignore[arg-type]
    assert [bool(held.find(each)) for each in cookies] == [False, True, True, True]


@pytest.mark.parametrize(
    ("after", "is_in"),
    [
        pytest.param({"anna": ANNA}, True, id="the-same"),
        pytest.param({}, False, id="removed"),
        pytest.param(None, False, id="the-file-is-gone"),
        pytest.param(UsersError("users.toml:3: user.rights: x"), False, id="broken"),
        pytest.param(
            {"anna": User(name="anna", password=hash_from_password("another password"),
                          rights=EVERYTHING)}, False, id="another-password",
        ),
    ],
)  # fmt: skip
def test_a_change_of_the_file_counts_at_once_and_never_opens(
    running: Running, home: Home, after: Any, is_in: bool
) -> None:
    sign_in(running.client, "anna", PASSWORD)
    assert running.client.get(LIGHT).status_code == 200
    home.users = after
    assert (running.client.get(LIGHT).status_code == 200) == is_in
    if not is_in:
        fresh = running.new_client()
        assert fresh.get(LIGHT).status_code == 401
        fresh.close()


def test_rights_that_are_taken_away_are_gone_at_once(running: Running, home: Home) -> None:
    sign_in(running.client, "anna", PASSWORD)
    assert running.client.get("/dictionary").status_code == 200
    home.users = {"anna": User(name="anna", password=HASH, rights=frozenset({Right.TEXTS}))}
    assert running.client.get("/dictionary").status_code == 403


@pytest.mark.parametrize(
    "users",
    [
        pytest.param({}, id="nobody is left"),
        pytest.param({"anna": User(name="anna", password=HASH, rights=frozenset())}, id="rights"),
        pytest.param(
            {
                "anna": User(
                    name="anna",
                    password=hash_from_password("another horse battery"),
                    rights=EVERYTHING,
                )
            },
            id="password",
        ),
        pytest.param(None, id="signed out"),
    ],
)
def test_a_stream_ends_when_its_session_does(running: Running, home: Home, users: Any) -> None:
    sign_in(running.client, "anna", PASSWORD)
    with running.client.stream("GET", "/live") as answer:
        reading = answer.iter_lines()
        assert next(reading).startswith("retry:")
        running.hub.tell("mo-message", 1)
        next(line for line in reading if "mo-message" in line)
        if users is None:
            cookies = dict(running.client.cookies)
            with running.new_client(cookies=cookies) as other:
                page = other.get("/list/lines", headers=HTML)
                other.post("/sign-out", data={"form_token": form_token_of(page.text)})
        else:
            home.users = users
        running.hub.tell("mt-state", 1)
        assert all("mt-state" not in line for line in reading)  # and it comes to its end


def test_a_broken_file_says_so_to_who_signs_in_and_not_why(running: Running, home: Home) -> None:
    page = running.client.get("/sign-in").text
    home.users = UsersError("/srv/secret/users.toml:3: user.rights: must be")
    form = {"form_token": form_token_of(page), "name": "anna", "password": PASSWORD}
    answer = running.client.post("/sign-in", data=form)
    assert answer.status_code == 503
    assert "/srv/secret" not in answer.text


@pytest.mark.parametrize(
    "where",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)",
     "list/lines\r\nSet-Cookie: x=y", "sign-out", "../x", "list//x"],
)  # fmt: skip
def test_it_goes_on_to_pages_of_ours_alone(running: Running, where: str) -> None:
    answer = sign_in(running.client, "anna", PASSWORD, next=where)
    assert answer.headers["Location"] == "./"


# Passwords


def test_five_tries_a_minute_and_then_the_right_password_is_not_heard(running: Running) -> None:
    for _ in range(5):
        assert sign_in(running.client, "anna", "wrong").status_code == 401
    answer = sign_in(running.client, "ANNA", PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    other = User(name="bert", password=HASH, rights=EVERYTHING)
    assert sign_in(running.client, other.name, PASSWORD).status_code == 401  # not 429


def test_tries_are_counted_by_user_and_address_within_a_minute() -> None:
    now = [0.0]
    counted = SignInTries(lambda: now[0])
    for _ in range(tries.MOST_TRIES):
        assert counted.wait_seconds("anna", "192.0.2.1") == 0
    assert counted.wait_seconds("Anna", "192.0.2.1") == 60
    assert counted.wait_seconds("anna", "192.0.2.2") == 0
    assert counted.wait_seconds("bert", "192.0.2.1") == 0
    now[0] = 60.0
    assert counted.wait_seconds("anna", "192.0.2.1") == 0


def test_names_that_were_tried_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "_MOST_KEPT", 10)
    counted = SignInTries()
    for n in range(100):
        counted.wait_seconds(f"u{n}", "192.0.2.1")
    assert len(counted._tries) == 10


def test_an_unknown_user_takes_as_long_as_a_wrong_password() -> None:
    def seconds(hashed: str | None) -> float:
        began = time.process_time()
        assert not is_password_of(hashed, "wrong password")
        return time.process_time() - began

    seconds(None)  # makes the hash of nobody
    known = statistics.median(seconds(HASH) for _ in range(5))
    unknown = statistics.median(seconds(None) for _ in range(5))
    assert 0.5 < known / unknown < 2


@pytest.mark.parametrize("password", ["short", "x" * 257, "eleven char", "tab\tinside it all"])
def test_a_password_that_cannot_be_is_refused(password: str) -> None:
    with pytest.raises(BadPassword) as raised:
        hash_from_password(password)
    assert password not in str(raised.value)


def test_one_password_has_many_hashes_and_one_meaning() -> None:
    first, second = hash_from_password("cafe\u0301 au lait"), hash_from_password("café au lait")
    assert first != second
    assert is_hash(first)
    assert is_password_of(first, "café au lait")
    assert is_password_of(second, "cafe\u0301 au lait")
    assert not is_password_of(first, "cafe au lait")


@pytest.mark.parametrize(
    "hashed",
    ["", "plain", PASSWORD, HASH[:-1], HASH.replace("$15$", "$30$"), HASH.replace("$8$", "$99$"),
     HASH.replace("scrypt", "md5")],
    ids=["empty", "plain", "a password", "cut", "too dear", "too large", "another kind"],
)  # fmt: skip
def test_what_is_no_hash_is_nobodys_password(hashed: str) -> None:
    assert not is_hash(hashed)
    assert not is_password_of(hashed, PASSWORD)


# Forms


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
def test_no_form_is_taken_without_its_token(running: Running, token: str | None) -> None:
    sign_in(running.client, "anna", PASSWORD)
    form = {} if token is None else {"form_token": token}
    for path in ("/sign-out", "/review", "/letter", "/sign-in"):
        assert running.client.post(path, data=form).status_code == 400, path
    assert running.client.get(LIGHT).status_code == 200


def test_a_form_of_one_session_is_not_taken_from_another(running: Running) -> None:
    other = running.new_client()
    sign_in(running.client, "anna", PASSWORD)
    sign_in(other, "anna", PASSWORD)
    token = form_token_of(running.client.get(LIGHT).text)
    assert other.post("/sign-out", data={"form_token": token}).status_code == 400
    other.close()


def test_the_form_to_sign_in_is_bound_to_the_browser(running: Running) -> None:
    """Else a page of another site signs somebody in as the attacker."""
    token = form_token_of(running.client.get("/sign-in").text)
    other = running.new_client()
    form = {"form_token": token, "name": "anna", "password": PASSWORD}
    assert other.post("/sign-in", data=form).status_code == 400
    other.get("/sign-in")
    assert other.post("/sign-in", data=form).status_code == 400
    other.close()


def test_a_session_asks_in_sql_with_the_token_of_its_forms(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.store.report.access_records import AccessRecords

    async def note(*_: Any) -> None:
        pass

    monkeypatch.setattr(AccessRecords, "note", note)
    sign_in(running.client, "anna", PASSWORD)
    token = form_token_of(running.client.get(LIGHT).text)
    assert running.client.post("/sql", content="SELECT 1").status_code == 400
    answer = running.client.post("/sql", content="SELECT 1", headers={"X-Form-Token": token})
    assert answer.text == '{"1":1}\n'


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
def test_a_page_of_another_site_signs_nobody_in(running: Running, headers: dict[str, str]) -> None:
    token = form_token_of(running.client.get("/sign-in").text)
    form = {"form_token": token, "name": "anna", "password": PASSWORD}
    assert running.client.post("/sign-in", data=form, headers=headers).status_code == 403


def test_the_policy_of_pages_stays_strict(running: Running) -> None:
    for path in ("/sign-in", "/", "/list/lines"):
        answer = running.client.get(path, headers=HTML)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"


# Where it may listen


def test_without_users_it_is_open_on_loopback_alone(database: Database, home: Home) -> None:
    home.users = None
    with serving(database, home) as opened:
        assert opened.client.get(LIGHT).status_code == 200
        asked = {"Authorization": f"Bearer {TOKEN}"}  # nobody is named, and no broker is needed
        answer = opened.client.post("/sql", content="SELECT 1", headers=asked)
        assert answer.status_code == 200
    with (
        pytest.raises(AccessError, match="add users"),
        serving(database, home, report_host="192.0.2.1"),
    ):
        pass


@pytest.mark.parametrize(
    "settings",
    [
        {"report_host": "192.0.2.1"},
        {"report_url": "http://reports.example.com"},
        {"report_host": "0.0.0.0", "report_url": "http://reports.example.com"},  # noqa: S104
    ],
)
def test_no_password_crosses_a_network_in_the_clear(
    database: Database, home: Home, settings: dict[str, Any]
) -> None:
    with pytest.raises(AccessError, match="in the clear"), serving(database, home, **settings):
        pass


def test_the_token_of_the_home_lets_the_command_line_in(running: Running) -> None:
    fresh = running.new_client(headers={"Authorization": f"Bearer {TOKEN}"})
    assert fresh.get("/list/lines").status_code == 200
    fresh.headers["Authorization"] = f"Bearer {TOKEN[:-1]}c"
    assert fresh.get("/list/lines").status_code == 401
    fresh.headers["Authorization"] = "Bearer x"
    assert fresh.get("/list/lines").status_code == 401
    fresh.close()


# Files


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / USERS_FILE
    users = {
        "anna": ANNA,
        "b@x": User(name="b@x", password=HASH, rights=frozenset({Right.SQL})),
        "c": User(name="c", password=HASH, rights=frozenset()),
    }
    write_users(file, users.values())
    assert users_from_file(file) == users
    assert file.stat().st_mode & 0o077 == 0
    file.chmod(0o640)
    with pytest.raises(UsersError, match="open to others"):
        users_from_file(file)
    assert users_from_file(tmp_path / "other") is None


GOOD = f'[[user]]\nname = "anna"\npassword = "{HASH}"\nrights = ["texts"]\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(GOOD.replace("texts", "text"), "u:4: user.rights: must be", id="right"),
        pytest.param(GOOD.replace('"texts"', "3"), "u:4: user.rights: must be", id="number"),
        pytest.param(GOOD.replace('["texts"]', "[[]]"), "u:4: user.rights", id="list"),
        pytest.param(GOOD.replace(HASH, "plain"), "u:3: user.password: must be", id="hash"),
        pytest.param(GOOD.replace("anna", "an na"), "u:2: user.name: must be", id="name"),
        pytest.param(GOOD + GOOD, "u:6: user.name: is there twice", id="twice"),
        pytest.param(GOOD + GOOD.replace("anna", "ANNA"), "u:6: user.name", id="twice-by-case"),
        pytest.param(GOOD + 'role = "x"\n', "u:5: user.role: there is no", id="unknown"),
        pytest.param("user = 3\n", "u:1: user: must be tables", id="no-table"),
        pytest.param(GOOD + "x = ", "u:5: ", id="no-toml"),
        pytest.param('[[user]]\nname = "a"\n', "u:1: user.password", id="no-password"),
    ],
)
def test_a_mistake_names_line_and_field(text: str, words: str) -> None:
    with pytest.raises(UsersError) as raised:
        users_from_toml(text, origin="u")
    assert words in str(raised.value)
    assert "plain" not in str(raised.value)


def test_the_secrets_of_a_home_are_made_once_and_for_its_owner(tmp_path: Path) -> None:
    made = secrets_of_home(tmp_path)
    assert secrets_of_home(tmp_path) == made
    assert token_of_home(tmp_path) == made.token
    for name in (TOKEN_FILE, KEY_FILE):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    (tmp_path / TOKEN_FILE).chmod(0o644)
    with pytest.raises(HomeSecretsError, match="open to others"):
        secrets_of_home(tmp_path)
    assert token_of_home(tmp_path) == ""
    assert token_of_home(tmp_path / "none") == ""
