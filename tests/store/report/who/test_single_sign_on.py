"""Single sign-on against a provider that signs its tokens, and against one that lies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.settings import Settings
from pipeline.store.report.caller import Right
from pipeline.store.report.serving import single_sign_on_of
from pipeline.store.report.who.single_sign_on import provider as provider_module
from pipeline.store.report.who.single_sign_on.roles import rights_by_role, roles_in
from pipeline.web.access import AccessError
from tests.store.report.serving_report import Running
from tests.store.report.who.small_provider import CLIENT, SECRET, SmallProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from pipeline.store.clickhouse.database import Database

URL = "http://127.0.0.1:1"


@pytest.fixture
def provider() -> Iterator[SmallProvider]:
    small = SmallProvider()
    yield small
    small.stop()


def settings_with(provider: SmallProvider, **more: Any) -> dict[str, Any]:
    return {
        "report_url": URL,
        "report_oidc_issuer": provider.issuer,
        "report_oidc_client": CLIENT,
        "report_oidc_secret": SECRET,
        "report_oidc_roles": "realm_access.roles",
        "report_oidc_rights": "support=numbers, boss=numbers+texts+sql",
    } | more


@pytest.fixture
def running(database: Database, provider: SmallProvider) -> Iterator[Running]:
    given = settings_with(provider)
    opened = Running(database, single_sign_on=single_sign_on_of(Settings(**given)), **given)
    yield opened
    opened.stop()


def come_back(
    running: Running, provider: SmallProvider, client: httpx.Client | None = None, **said: str
) -> httpx.Response:
    """Go to the provider and come back, as a browser does."""
    used = client or running.client
    away = used.get("/sign-in/elsewhere", params={"next": "list/lines"})
    assert away.status_code == 303
    back = provider.agree(away.headers["Location"])
    query = dict(pair.split("=", 1) for pair in back.partition("?")[2].split("&")) | said
    return used.get("/sign-in/return", params=query, headers={"Sec-Fetch-Site": "cross-site"})


def is_in(client: httpx.Client) -> bool:
    return client.get("/conversation").status_code == 200


def test_who_comes_back_is_in_with_the_rights_of_the_roles(
    running: Running, provider: SmallProvider
) -> None:
    page = running.client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert "Single sign-on" in page.text
    assert 'type="password"' not in page.text
    back = come_back(running, provider)
    assert back.status_code == 200
    assert 'content="0;url=../list/lines"' in back.text
    cookies = back.headers.get_list("Set-Cookie")
    assert any("session=" in each and "SameSite=Strict" in each for each in cookies)
    assert is_in(running.client)
    assert "berta" in running.client.get("/").text
    assert running.client.get("/dictionary").status_code == 403


def test_the_browser_holds_what_the_return_is_checked_against(
    running: Running, provider: SmallProvider
) -> None:
    away = running.client.get("/sign-in/elsewhere")
    (cookie,) = away.headers.get_list("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    query = away.headers["Location"].partition("?")[2]
    assert "code_challenge=" in query
    assert "nonce=" in query
    assert SECRET not in query


_NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"nonce": "another"}, id="another-nonce"),
        pytest.param({"nonce": None}, id="no-nonce"),
        pytest.param({"nonce": ["x"]}, id="a-nonce-that-is-a-list"),
        pytest.param({"aud": "another"}, id="another-audience"),
        pytest.param({"aud": ["another"]}, id="another-audience-in-a-list"),
        pytest.param({"aud": [CLIENT, "another"]}, id="two-audiences-and-no-azp"),
        pytest.param({"aud": [CLIENT, "x"], "azp": "x"}, id="another-azp"),
        pytest.param({"aud": None}, id="no-audience"),
        pytest.param({"iss": "https://evil.example"}, id="another-issuer"),
        pytest.param({"iss": None}, id="no-issuer"),
        pytest.param({"exp": _NOW - 3_600, "iat": _NOW - 7_200}, id="expired"),
        pytest.param({"exp": None}, id="no-expiry"),
        pytest.param({"exp": "tomorrow"}, id="an-expiry-that-is-a-text"),
        pytest.param({"iat": _NOW + 3_600, "exp": _NOW + 7_200}, id="of-the-future"),
        pytest.param({"nbf": _NOW + 3_600}, id="not-yet"),
        pytest.param({"sub": None}, id="no-subject"),
        pytest.param({"sub": 7}, id="a-subject-that-is-a-number"),
        pytest.param({"realm_access": {"roles": ["other"]}}, id="no-role-of-ours"),
        pytest.param({"realm_access": "support"}, id="roles-elsewhere"),
        pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, id="another-access-token"),
    ],
)
def test_a_token_that_is_not_for_us_and_now_lets_nobody_in(
    running: Running, provider: SmallProvider, claims: dict[str, Any]
) -> None:
    """OpenID Connect Core 1.0, 3.1.3.7."""
    provider.claims = claims
    answer = come_back(running, provider)
    assert answer.status_code == 403
    assert not is_in(running.client)


@pytest.mark.parametrize("fault", ["other-key", "none", "HS256", "unknown-kid"])
def test_a_token_that_the_provider_has_not_signed_lets_nobody_in(
    running: Running, provider: SmallProvider, fault: str
) -> None:
    """RFC 8725 2.1 and 3.1."""
    if fault == "other-key":
        provider.signer = provider.other
    elif fault == "unknown-kid":
        provider.kid, provider.signer = "k2", provider.other
    else:
        provider.algorithm = fault
    assert come_back(running, provider).status_code == 403
    assert not is_in(running.client)


def test_a_new_key_of_the_provider_is_looked_for(
    running: Running, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert come_back(running, provider).status_code == 200
    provider.key = provider.signer = provider.other
    provider.kid = provider.published = "k2"
    with running.new_client() as client:
        assert come_back(running, provider, client).status_code == 403  # asked just now
        monkeypatch.setattr(provider_module, "_AGAIN_SECONDS", 0.0)
        assert come_back(running, provider, client).status_code == 200


@pytest.mark.parametrize(
    "said",
    [{"state": "another"}, {"state": ""}, {"code": "another"}, {"code": ""},
     {"error": "access_denied"}, {"iss": "https://evil.example"}],
)  # fmt: skip
def test_a_return_that_does_not_belong_to_what_was_begun_lets_nobody_in(
    running: Running, provider: SmallProvider, said: dict[str, str]
) -> None:
    assert come_back(running, provider, **said).status_code == 403
    assert not is_in(running.client)


def test_a_return_counts_once_and_in_its_own_browser(
    running: Running, provider: SmallProvider
) -> None:
    away = running.client.get("/sign-in/elsewhere")
    back = provider.agree(away.headers["Location"]).removeprefix(URL)
    with running.new_client() as other:
        assert other.get(back).status_code == 403
        held = away.headers["Set-Cookie"].partition(";")[0]
        assert running.client.get(back).status_code == 200
        assert other.get(back, headers={"Cookie": held}).status_code == 403


@pytest.mark.parametrize(
    "about",
    [
        pytest.param({"issuer": "https://evil.example"}, id="another-name"),
        pytest.param({"token_endpoint": "http://192.0.2.1/token"}, id="tokens-in-the-clear"),
        pytest.param({"jwks_uri": 7}, id="no-address"),
        pytest.param({"x": "y" * (300 << 10)}, id="too-large"),
    ],
)
def test_a_provider_that_says_what_cannot_be_is_not_gone_to(
    running: Running, provider: SmallProvider, about: dict[str, Any]
) -> None:
    provider.about = about
    assert running.client.get("/sign-in/elsewhere").status_code == 503


def test_a_silent_provider_is_given_up(
    running: Running, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    import aiohttp

    monkeypatch.setattr(provider_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    provider.silent = 5
    began = time.monotonic()
    assert running.client.get("/sign-in/elsewhere").status_code == 503
    assert time.monotonic() - began < 4


def test_what_it_says_of_itself_is_asked_once(running: Running, provider: SmallProvider) -> None:
    for _ in range(3):
        running.client.get("/sign-in/elsewhere")
    assert provider.asked.count("/realm/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"report_url": ""},
        {"report_oidc_client": ""},
        {"report_oidc_issuer": "http://issuer.example.com"},
        {"report_oidc_rights": ""},
        {"report_oidc_rights": "support=everything"},
        {"report_oidc_rights": "support"},
        {"report_oidc_ca": "/no/such/file"},
    ],
)
def test_settings_that_cannot_be_are_refused_at_the_start(
    provider: SmallProvider, fault: dict[str, str]
) -> None:
    with pytest.raises(AccessError):
        single_sign_on_of(Settings(**settings_with(provider, **fault)))


def test_roles_are_where_the_setting_says() -> None:
    assert roles_in({"roles": ["a", 3]}, "roles") == ["a"]
    assert roles_in({"roles": "a b"}, "roles") == ["a", "b"]
    assert roles_in({"x": {"y": ["a"]}}, "x.y") == ["a"]
    assert roles_in({"https://x.example/roles": ["a"]}, "https://x.example/roles") == ["a"]
    assert roles_in({"x": 3}, "x.y.z") == []
    assert rights_by_role("a=sql+texts, a=numbers") == {
        "a": frozenset({Right.SQL, Right.TEXTS, Right.NUMBERS})
    }
