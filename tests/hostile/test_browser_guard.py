"""A page of another site cannot call us through a browser; other callers are not refused."""

from __future__ import annotations

import pytest

from pipeline.settings import Settings
from pipeline.web.access import Access
from pipeline.web.browser_guard import host_name_of, refuse_page
from tests.ingest.http.support import running

OUTSIDE = "203.0.113.7"
TOKENS = {"http_host": "0.0.0.0", "tokens": "one"}  # noqa: S104 - what is tested
NAMED = {"host_names": "two-way.lan, other.lan"}
ALLOW = {"http_host": "0.0.0.0", "allow": "203.0.113.0/24"}  # noqa: S104
PROXY = TOKENS | {"trusted_proxies": "127.0.0.1"}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"127.0.0.1:8080", "127.0.0.1"),
        (b"LocalHost.", "localhost"),
        (b"[::1]:8080", "::1"),
        (b"[::1]", "::1"),
        (b"ingest:8080", "ingest"),
        (b"a_b-c.example:", "a_b-c.example"),
        (b"127.0.0.1:99999", None),
        (b"127.0.0.1:8a", None),
        (b"127.0.0.1:+80", None),
        (b"[::1", None),
        (b"[zz]", None),
        (b"a b", None),
        (b"a/b", None),
        (b"a@b", None),
        (b"\xe9", None),
        (b":80", None),
        (b"a" * 9000, None),
        (b"a:" + b"1" * 9000, None),
    ],
)
def test_a_host_is_a_name_and_a_port(host: bytes, name: str | None) -> None:
    assert host_name_of(host) == name


@pytest.mark.parametrize(
    ("host", "origin", "fetch_site", "taken"),
    [
        pytest.param(b"a:1", b"", b"", True, id="no browser"),
        pytest.param(b"a:1", b"http://a:1", b"same-origin", True, id="its own page"),
        pytest.param(b"a", b"https://a", b"", True, id="behind TLS"),
        pytest.param(b"a:443", b"https://A", b"", True, id="the default port"),
        pytest.param(b"a", b"http://a:80", b"", True, id="the default port said"),
        pytest.param(b"a", b"", b"none", True, id="typed"),
        pytest.param(b"a", b"", b"cross-site", False, id="cross-site"),
        pytest.param(b"a", b"", b"same-site", False, id="another port of the site"),
        pytest.param(b"a:1", b"http://a:2", b"", False, id="another port"),
        pytest.param(b"a", b"https://a:80", b"", False, id="the other scheme's port"),
        pytest.param(b"a", b"null", b"", False, id="null"),
        pytest.param(b"", b"null", b"", False, id="null without a host"),
        pytest.param(b"a", b"http://evil.example", b"", False, id="elsewhere"),
        pytest.param(b"a", b"http://a.evil.example", b"same-origin", False, id="both count"),
    ],
)
def test_a_page_is_known_by_what_its_browser_says(
    host: bytes, origin: bytes, fetch_site: bytes, *, taken: bool
) -> None:
    assert (refuse_page(host=host, origin=origin, fetch_site=fetch_site) is None) is taken


@pytest.mark.parametrize(
    ("settings", "peer", "host", "token", "status"),
    [
        pytest.param({}, "127.0.0.1", b"127.0.0.1:8080", None, None, id="loopback"),
        pytest.param({}, "127.0.0.1", b"", None, None, id="no Host is taken"),
        pytest.param({}, "::1", b"[::1]:8080", None, None, id="loopback of IPv6"),
        pytest.param({}, "127.0.0.1", b"x.localhost", None, None, id="RFC 6761 6.3"),
        pytest.param({}, "127.0.0.1", b"evil.example", None, 403, id="a name that points here"),
        pytest.param({}, "127.0.0.1", b"127.0.0.1.evil.example", None, 403, id="looks like it"),
        pytest.param({}, "127.0.0.1", b"evil.example", b"any", 403, id="a token none has set"),
        pytest.param({}, "127.0.0.1", b"127.0.0.1:99999", None, 400, id="no port"),
        pytest.param(NAMED, "127.0.0.1", b"Other.LAN:8080", None, None, id="a name set"),
        pytest.param(NAMED, "127.0.0.1", b"third.lan", None, 403, id="a name not set"),
        pytest.param(TOKENS, "127.0.0.1", b"0.0.0.0:8080", None, None, id="where it listens"),
        pytest.param(TOKENS, "127.0.0.1", b"sms.example", None, 403, id="loopback beside tokens"),
        pytest.param(TOKENS, "127.0.0.1", b"sms.example", b"one", None, id="a token, any name"),
        pytest.param(TOKENS, OUTSIDE, b"sms.example", b"one", None, id="the public name"),
        pytest.param(TOKENS, "172.18.0.5", b"ingest:8080", b"one", None, id="in compose"),
        pytest.param(TOKENS, OUTSIDE, b"203.0.113.1", b"one", None, id="the public address"),
        pytest.param(TOKENS, OUTSIDE, b"a b", b"one", None, id="no Host loses a message"),
        pytest.param(ALLOW, OUTSIDE, b"sms.example", None, None, id="a listed address"),
    ],
)
def test_the_name_asked_counts_where_loopback_lets_in(
    settings: dict[str, str], peer: str, host: bytes, token: bytes | None, status: int | None
) -> None:
    refused = Access(Settings(**settings)).refuse(
        peer=peer, forwarded_for=b"", token=token, authorization=b"", host=host
    )
    assert (refused.status if refused else None) == status


@pytest.mark.parametrize("sign", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
@pytest.mark.parametrize(
    ("settings", "target", "status"),
    [
        pytest.param({"tokens": "one"}, "/mo/http", 403, id="unlisted proxy"),
        pytest.param({}, "/mo/http", 403, id="nothing asked for"),
        pytest.param({"tokens": "one"}, "/t/one/mo/http", 200, id="a token lets it in"),
        pytest.param({"tokens": "one", "allow": "127.0.0.1"}, "/t/one/mo/http", 403, id="allowed"),
    ],
)
async def test_what_an_unlisted_proxy_forwards_is_not_loopback(
    settings: dict[str, str], target: str, status: int, sign: str
) -> None:
    async with running(Settings(http_port=0, **settings)) as ingest:  # type: ignore[arg-type]
        reply = await ingest.get(f"{target}?from=1&to=2", f"{sign}: {OUTSIDE}")
    assert reply.status == status
    if status == 403:
        assert b"trusted_proxies" in reply.body


def test_a_listed_proxy_that_names_nobody_is_not_loopback() -> None:
    refused = Access(Settings(**PROXY)).refuse(
        peer="127.0.0.1", forwarded_for=b"", token=None, authorization=b"", other_signs=b"1.1 x"
    )
    assert refused is not None
    assert "X-Forwarded-For" in refused.words


@pytest.mark.parametrize(
    "path", ["/mo/http", "/mo/xml", "/mo/soap", "/status/http", "/mt", "/mt/id", "/metrics"]
)
@pytest.mark.parametrize(
    "header",
    ["Host: evil.example:8080", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site"],
)
async def test_ingest_takes_nothing_of_a_page_elsewhere(path: str, header: str) -> None:
    host = b"" if header.startswith("Host") else b"Host: 127.0.0.1\r\n"
    request = b"POST %b HTTP/1.1\r\n%b%b\r\nContent-Length: 11\r\n\r\nfrom=1&to=2"
    async with running() as ingest:
        reply = await ingest.exchange(request % (path.encode(), host, header.encode()))
        assert (reply.status, ingest.publisher.published) == (403, [])
        open_one = await ingest.exchange(
            b"GET /healthz HTTP/1.1\r\n%b%b\r\n\r\n" % (host, header.encode())
        )
    assert open_one.status == 200


async def test_a_host_with_a_port_there_is_not_is_400() -> None:
    async with running() as ingest:
        reply = await ingest.exchange(b"GET /mo/http HTTP/1.1\r\nHost: 127.0.0.1:99999\r\n\r\n")
    assert reply.status == 400
