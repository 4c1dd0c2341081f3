"""Who may call."""

from __future__ import annotations

from base64 import b64encode

import pytest

from ingest.http.process import Ingest
from pipeline.records import MoRaw
from pipeline.settings import Settings
from pipeline.web.access import Access, AccessError, path_from_octets
from tests.ingest.http.support import FakePublisher, running

OUTSIDE = "203.0.113.7"
TOKENS = {"http_host": "0.0.0.0", "tokens": "old-token, new-token"}  # noqa: S104 - what is tested
BASIC = {"http_host": "0.0.0.0", "basic_auth": "gate:one,gate:two"}  # noqa: S104
ALLOW = {"http_host": "0.0.0.0", "allow": "203.0.113.0/24, 2001:db8::/32"}  # noqa: S104
BOTH = TOKENS | ALLOW
PROXY = TOKENS | {"trusted_proxies": "10.0.0.0/8,127.0.0.1"}
LOCAL_PROXY = {"trusted_proxies": "127.0.0.1"}


def basic(pair: str) -> bytes:
    """The header's value (RFC 7617 2)."""
    return b"Basic " + b64encode(pair.encode())


@pytest.mark.parametrize(
    ("settings", "peer", "forwarded", "token", "authorization", "status"),
    [
        pytest.param({}, "127.0.0.1", "", None, b"", None, id="loopback needs nothing"),
        pytest.param({}, "::1", "", None, b"", None, id="loopback of IPv6"),
        pytest.param({}, "::ffff:127.0.0.1", "", None, b"", None, id="loopback mapped"),
        pytest.param({}, "127.9.9.9", "", b"any", b"", None, id="a token where none is set"),
        pytest.param({}, "127.0.0.1", OUTSIDE, None, b"", 403, id="unlisted proxy on loopback"),
        pytest.param({}, "", "", None, b"", 403, id="no peer"),
        pytest.param(TOKENS, "127.0.0.1", "", None, b"", None, id="loopback beside tokens"),
        pytest.param(TOKENS, "127.0.0.1", "", b"bad", b"", 403, id="wrong token from loopback"),
        pytest.param(TOKENS, OUTSIDE, "", b"old-token", b"", None, id="one of two tokens"),
        pytest.param(TOKENS, OUTSIDE, "", b"new-token", b"", None, id="the other token"),
        pytest.param(TOKENS, OUTSIDE, "", b"old-toke", b"", 403, id="token cut short"),
        pytest.param(TOKENS, OUTSIDE, "", b"", b"", 403, id="empty token"),
        pytest.param(TOKENS, OUTSIDE, "", None, b"", 403, id="no token"),
        pytest.param(TOKENS, OUTSIDE, "127.0.0.1", None, b"", 403, id="forged loopback"),
        pytest.param(BASIC, OUTSIDE, "", None, basic("gate:one"), None, id="one password"),
        pytest.param(BASIC, OUTSIDE, "", None, basic("gate:two"), None, id="the other password"),
        pytest.param(BASIC, OUTSIDE, "", None, basic("gate:three"), 401, id="wrong password"),
        pytest.param(BASIC, OUTSIDE, "", None, b"Basic %%%", 401, id="no base64"),
        pytest.param(BASIC, OUTSIDE, "", None, b"Bearer gate:one", 401, id="another scheme"),
        pytest.param(BASIC, OUTSIDE, "", None, b"", 401, id="no password"),
        pytest.param(BASIC, OUTSIDE, "", b"any", b"", 401, id="a token is no password"),
        pytest.param(ALLOW, OUTSIDE, "", None, b"", None, id="listed address"),
        pytest.param(ALLOW, "2001:db8::1", "", None, b"", None, id="listed IPv6 address"),
        pytest.param(ALLOW, "::ffff:203.0.113.7", "", None, b"", None, id="listed, mapped"),
        pytest.param(ALLOW, "198.51.100.1", "", None, b"", 403, id="unlisted address"),
        pytest.param(ALLOW, "198.51.100.1", OUTSIDE, None, b"", 403, id="forged listed address"),
        pytest.param(BOTH, OUTSIDE, "", b"new-token", b"", None, id="listed and token"),
        pytest.param(BOTH, OUTSIDE, "", None, b"", 403, id="listed without token"),
        pytest.param(BOTH, "198.51.100.1", "", b"new-token", b"", 403, id="token, not listed"),
        pytest.param(PROXY, "10.1.1.1", OUTSIDE, b"new-token", b"", None, id="by a listed proxy"),
        pytest.param(PROXY, "10.1.1.1", "127.0.0.1", None, b"", 403, id="proxy's own loopback"),
        pytest.param(PROXY, "127.0.0.1", OUTSIDE, None, b"", 403, id="loopback proxy, outside"),
        pytest.param(PROXY, "127.0.0.1", "", None, b"", None, id="loopback proxy itself"),
        pytest.param(
            PROXY,
            "127.0.0.1",
            "127.0.0.1, 203.0.113.7",
            None,
            b"",
            403,
            id="forged, the last counts",
        ),
        pytest.param(PROXY, "127.0.0.1", "127.0.0.1, 10.2.2.2", None, b"", 403, id="proxies only"),
        pytest.param(PROXY, "127.0.0.1", "unknown", None, b"", 403, id="no address"),
        pytest.param(PROXY, "127.0.0.1", "\xff\x00", None, b"", 403, id="garbage"),
        pytest.param(PROXY, "127.0.0.1", "1" * 9000, None, b"", 403, id="endless address"),
        pytest.param(LOCAL_PROXY, "127.0.0.1", OUTSIDE, None, b"", 403, id="nothing asked for"),
        pytest.param(
            ALLOW | LOCAL_PROXY, "127.0.0.1", "203.0.113.7:4711", None, b"", None, id="with a port"
        ),
        pytest.param(
            ALLOW | LOCAL_PROXY, "127.0.0.1", "[2001:db8::1]:4711", None, b"", None, id="IPv6 port"
        ),
    ],
)
def test_access(
    settings: dict[str, str],
    peer: str,
    forwarded: str,
    token: bytes | None,
    authorization: bytes,
    status: int | None,
) -> None:
    refused = Access(Settings(**settings)).refuse(
        peer=peer,
        forwarded_for=forwarded.encode("latin-1"),
        token=token,
        authorization=authorization,
    )
    assert (refused.status if refused else None) == status


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"http_host": "0.0.0.0"}, "not a loopback", id="open to all"),  # noqa: S104
        pytest.param({"http_host": "::"}, "not a loopback", id="open to all of IPv6"),
        pytest.param({"http_host": "example.org"}, "not a loopback", id="a name"),
        pytest.param(
            {"http_host": "192.0.2.1", "tokens": " , "}, "not a loopback", id="blank tokens"
        ),
        pytest.param({"allow": "203.0.113.300"}, "allow", id="no address"),
        pytest.param({"allow": "203.0.113.1/24"}, "allow", id="address with a network's length"),
        pytest.param({"trusted_proxies": "proxy"}, "trusted_proxies", id="no proxy address"),
        pytest.param({"basic_auth": "gate"}, "basic_auth", id="no password"),
        pytest.param({"tls_cert": "c.pem"}, "tls_key", id="certificate without key"),
        pytest.param({"tls_cert": "no.pem", "tls_key": "no.pem"}, "tls_cert", id="no such file"),
        pytest.param({"body_limit_bytes": 10_000_000}, "body_limit_bytes", id="body above a batch"),
    ],
)
async def test_settings_that_would_be_unsafe_refuse_to_start(
    settings: dict[str, object], words: str
) -> None:
    with pytest.raises(AccessError, match=words):
        Ingest(Settings(**settings), publisher=FakePublisher())  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_starts_without_anything(host: str) -> None:
    Access(Settings(http_host=host))


@pytest.mark.parametrize(
    ("path", "expected", "token"),
    [
        pytest.param(b"/mo/http", b"/mo/http", None, id="none"),
        pytest.param(b"/t/abc/mo/http", b"/mo/http", b"abc", id="token"),
        pytest.param(b"/t/a%2Fb/mo/http", b"/mo/http", b"a/b", id="encoded token"),
        pytest.param(b"/t/abc", b"/", b"abc", id="token alone"),
        pytest.param(b"/t//mo/http", b"/mo/http", b"", id="empty token"),
        pytest.param(b"/t/a/t/b/mo/http", b"/t/b/mo/http", b"a", id="one token only"),
    ],
)
def test_the_token_is_cut_out_of_the_path(
    path: bytes, expected: bytes, token: bytes | None
) -> None:
    cut = path_from_octets(path)
    assert (cut.path, cut.token) == (expected, token)


async def test_a_token_is_in_neither_record_nor_log_nor_metrics() -> None:
    settings = Settings(http_port=0, tokens="s3cret-token", trusted_proxies="127.0.0.1")
    outside = f"X-Forwarded-For: {OUTSIDE}"
    async with running(settings) as ingest:
        taken = await ingest.get("/t/s3cret-token/mo/http?from=1&to=2", outside)
        refused = await ingest.get("/t/s3cret-tokem/mo/http?from=1&to=2", outside)
        without = await ingest.get("/mo/http?from=1&to=2", outside)
        dead = await ingest.get("/t/s3cret-token/mo/http?from=1", outside)
        seen = ingest.logged() + ingest.ingest.metrics.exposition().decode()
    assert [reply.status for reply in (taken, refused, without, dead)] == [200, 403, 403, 400]
    assert "s3cret" not in seen + repr(ingest.publisher.published)
    assert key_is_clean(ingest.publisher.published[0][2])


def key_is_clean(raw: object) -> bool:
    """Whether the record has the query and no part of the path."""
    return isinstance(raw, MoRaw) and raw.query == b"from=1&to=2"


async def test_an_unauthorised_caller_is_told_the_scheme_and_sends_no_body() -> None:
    settings = Settings(http_port=0, basic_auth="gate:one", trusted_proxies="127.0.0.1")
    async with running(settings) as ingest:
        head = (
            b"POST /mo/http HTTP/1.1\r\nContent-Length: 60000\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n"
        )
        reply = await ingest.exchange(head)  # answered although no octet of the body was sent
    assert (reply.status, reply.headers["www-authenticate"]) == (401, 'Basic realm="twoway"')


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/healthz", 200, id="healthz is open"),
        pytest.param("/readyz", 200, id="readyz is open"),
        pytest.param("/openapi.json", 200, id="the description is open"),
        pytest.param("/metrics", 403, id="metrics are not"),
        pytest.param("/mt/some-id", 403, id="requests are not"),
        pytest.param("/nothing", 403, id="nor is what is not there"),
    ],
)
async def test_what_an_outsider_may_see(path: str, status: int) -> None:
    settings = Settings(http_port=0, tokens="one", trusted_proxies="127.0.0.1")
    async with running(settings) as ingest:
        reply = await ingest.get(path, f"X-Forwarded-For: {OUTSIDE}")
    assert reply.status == status
