"""Whatever answers at the report's address, a command ends in time and with one sentence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.ask import report_client
from pipeline.cli.terminal.failure import CommandError
from pipeline.process import peer_words
from tests.hostile.lies import NUMBER, SECRET
from tests.hostile.lying_http import WITHOUT_END, answering, begun, whole
from tests.hostile.lying_server import lying_server

if TYPE_CHECKING:
    from tests.hostile.lying_server import Conduct

PATIENCE_SECONDS = 6.0  # for what is bounded to one: a busy machine
_ECHO = f"{SECRET} of {NUMBER}\x1b[2J".encode()
LIES: dict[str, Conduct] = {
    **WITHOUT_END,
    "ends-at-once": lambda line: None,
    "resets-at-once": lambda line: line.reset(),
    "no-http": begun(_ECHO),
    "a-head-cut": begun(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a-body-cut": begun(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"n":1}'),
    "broken-chunks": begun(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{zz\r\n"),
    "no-json": whole(b"200 OK", _ECHO),
    "a-line-that-is-no-json": whole(b"200 OK", b"{" + _ECHO),
    "a-failure": whole(b"500 No", _ECHO),
    "a-failure-too-large": whole(b"500 No", _ECHO * 99_999),
    "a-failure-cut": begun(b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n" + _ECHO),
    "compressed": whole(b"200 OK", b"x", b"Content-Encoding: gzip"),
    "echo-in-the-status": whole(b"500 " + _ECHO, b""),
    "says-nothing": answering(lambda line: line.file.read() and None),
}


@pytest.fixture(autouse=True)
def _with_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_words, "_secrets", set())
    monkeypatch.setattr(peer_words, "_pattern", peer_words._pattern)
    monkeypatch.setattr(peer_words, "_longest", 0)
    monkeypatch.setattr(report_client, "MOST_OCTETS", 1 << 20)
    peer_words.keep_secret([SECRET])


@pytest.mark.parametrize("conduct", LIES.values(), ids=LIES)
def test_a_question_to_a_liar(conduct: Conduct) -> None:
    with lying_server(conduct) as lying:
        began = time.monotonic()
        with pytest.raises(CommandError) as raised:
            report_client.rows(f"http://127.0.0.1:{lying.port}", "SELECT 1", timeout_seconds=1.0)
        assert time.monotonic() - began < PATIENCE_SECONDS
    words = str(raised.value)
    assert words.isprintable()
    assert len(words) < 1_200
    assert SECRET not in words
    assert NUMBER not in words


@pytest.mark.parametrize("conduct", LIES.values(), ids=LIES)
def test_whether_a_liar_is_ready(conduct: Conduct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_client, "QUICK_SECONDS", 1.0)
    with lying_server(conduct) as lying:
        began = time.monotonic()
        words = report_client.failure_of(f"http://127.0.0.1:{lying.port}")
        assert time.monotonic() - began < PATIENCE_SECONDS
    assert SECRET not in words
    assert NUMBER not in words


def test_a_redirection_is_not_followed() -> None:
    with lying_server(whole(b"200 OK", b'{"n": 1}')) as elsewhere:
        to = b"Location: http://127.0.0.1:%d/" % elsewhere.port
        with lying_server(whole(b"302 There", b"", to)) as lying, pytest.raises(CommandError):
            report_client.rows(f"http://127.0.0.1:{lying.port}", "SELECT 1")
        assert elsewhere.connections == 0


def test_an_honest_answer_is_read() -> None:
    with lying_server(whole(b"200 OK", b'{"n":1}\n{"n":2}\n')) as honest:
        asked = report_client.rows(f"http://127.0.0.1:{honest.port}", "SELECT n")
    assert asked == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"title":"x","status":503,"detail":"Kafka does not answer"}', "Kafka does not answer"),
        ("Kafka does not answer", "Kafka does not answer"),
        ('{"title":"x"}', '{"title":"x"}'),
        ('{"detail":3}', '{"detail":3}'),
        ("[" * 20_000, "[" * 20_000),
        ("3", "3"),
        ("", ""),
    ],
    ids=["problem", "text", "no-detail", "no-text", "deep", "number", "nothing"],
)
def test_what_is_wrong_is_the_detail_of_a_problem(text: str, detail: str) -> None:
    assert report_client.detail_of(text) == detail
