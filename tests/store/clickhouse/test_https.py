"""A ClickHouse server by https, with user and password apart from the URL."""

from __future__ import annotations

import base64
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import trustme

from pipeline.settings import SettingsError
from pipeline.store.clickhouse.server import ClickHouseServer, target_from_url, tls_to
from pipeline.web.bounded_answer import AnswerBounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOUNDS = AnswerBounds(octets=1 << 20, seconds=5.0)
PASSWORD = "of-the-store"


class Server(BaseHTTPRequestHandler):
    """Answers nothing that a driver could use, and keeps who asked."""

    asked: ClassVar[list[tuple[str | None, str | None]]] = []

    def do_POST(self) -> None:
        self.asked.append((self.headers["Authorization"], self.headers["X-ClickHouse-User"]))
        self.send_error(403)

    do_GET = do_POST  # noqa: N815 - as http.server looks for it

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The port of a server for 127.0.0.1, and the file with who signed its certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    server = HTTPServer(("127.0.0.1", 0), Server)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, ca
    server.shutdown()
    thread.join()
    server.server_close()


def refusal_of(url: str, *, ca: str) -> str:
    server = ClickHouseServer(url, BOUNDS, user="store", password=PASSWORD, ca=ca)
    try:
        with pytest.raises(Exception) as refused:  # noqa: PT011 - of the driver
            server.client()
    finally:
        server.close()
    return str(refused.value)


def test_the_user_of_the_settings_asks_by_https(served: tuple[int, Path]) -> None:
    port, ca = served
    Server.asked.clear()
    said = refusal_of(f"https://127.0.0.1:{port}", ca=str(ca))
    sent = base64.b64encode(f"store:{PASSWORD}".encode()).decode()
    assert {asked for asked, _ in Server.asked} == {f"Basic {sent}"}
    assert PASSWORD not in said


def test_a_certificate_of_another_authority_is_refused(
    served: tuple[int, Path], tmp_path: Path
) -> None:
    port, _ = served
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    Server.asked.clear()
    assert "certificate" in refusal_of(f"https://127.0.0.1:{port}", ca=str(other)).lower()
    assert Server.asked == []


def test_a_certificate_for_another_name_is_refused(served: tuple[int, Path]) -> None:
    port, ca = served
    Server.asked.clear()
    assert "certificate" in refusal_of(f"https://localhost:{port}", ca=str(ca)).lower()
    assert Server.asked == []


@pytest.mark.parametrize(
    ("url", "given", "user", "password"),
    [
        pytest.param("https://h", {}, "default", "", id="neither"),
        pytest.param("https://u:p%40@h", {}, "u", "p@", id="in the URL"),
        pytest.param("https://h", {"user": "u", "password": "p%40"}, "u", "p%40", id="apart"),
        pytest.param("https://u@h", {"password": "p"}, "u", "p", id="the password alone"),
        pytest.param("https://u:p@h", {"user": "v", "password": "q"}, "v", "q", id="both"),
    ],
)
def test_the_settings_come_before_the_url(
    url: str, given: dict[str, str], user: str, password: str
) -> None:
    target = target_from_url(url, **given)
    assert (target["username"], target["password"]) == (user, password)
    assert (target["interface"], target["port"]) == ("https", 8443)


@pytest.mark.parametrize("url", ["clickhouse:8123", "ftp://h", "h"])
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="http:// or https://"):
        target_from_url(url)


@pytest.mark.parametrize(
    ("url", "ca", "words"),
    [
        pytest.param("http://h", "/etc/hosts", "has no effect", id="without TLS"),
        pytest.param("https://h", "/no/such", "clickhouse_ca: /no/such: No such", id="no file"),
        pytest.param("https://h", __file__, "clickhouse_ca: ", id="no certificate"),
    ],
)
def test_certificates_that_cannot_be_used_are_refused(url: str, ca: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        tls_to(target_from_url(url), ca)
