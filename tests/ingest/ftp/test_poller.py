"""The poller as a whole, with a real server and a Kafka that the test controls."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from ingest.ftp import metrics, process
from ingest.ftp.process import Poller
from ingest.ftp.settings import FtpError
from pipeline.home.lock import FolderTaken
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import DeadLetter, MoRaw
from pipeline.settings import Settings
from pipeline.wire.mo_log import MAX_LINE, render
from tests.ingest.ftp.peer import PASSWORD, Peer, serving
from tests.ingest.http.support import FakePublisher
from tests.ingest.smpp.smsc import until
from tests.support.mo import HANDSET, callback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATIENCE_SECONDS = 30.0
QUICK = 0.01


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BACKOFF_SECONDS", (QUICK, 2 * QUICK))
    monkeypatch.setattr(process, "KAFKA_SECONDS", QUICK)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "ftp"
    found.mkdir()
    return found


@asynccontextmanager
async def polling(settings: Settings, publisher: FakePublisher) -> AsyncIterator[Poller]:
    """A poller that polls repeatedly; ended in order."""
    ended = asyncio.Event()
    poller = Poller(settings, publisher=publisher)
    running = asyncio.create_task(poller.run(ended))
    try:
        yield poller
    finally:
        ended.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running


def line(text: str | bytes, **fields: Any) -> bytes:
    return render(callback(text, **fields))


def append(peer: Peer, octets: bytes) -> None:
    with (peer.folder / "mo.log").open("ab") as file:
        file.write(octets)


def texts(publisher: FakePublisher) -> list[bytes]:
    return [raw.octets for raw in publisher.of(MO_RAW) if isinstance(raw, MoRaw)]


def errors(kind: str) -> float:
    return metrics.ERRORS.labels(kind)._value.get()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_lines_are_taken_as_they_are_appended(
    folder: Path, tmp_path: Path, tls: bool
) -> None:
    publisher = FakePublisher()
    with serving(folder, tls=tls) as peer:
        settings = peer.settings(tmp_path / "home", ftp_poll_seconds=QUICK)
        async with polling(settings, publisher) as poller:
            append(peer, line("one") + b"\r\n" + line("two", network_id="655") + b"\n\n" + b"2026")
            await until(lambda: len(texts(publisher)) == 2)
            append(peer, b"-03-29 12:00:00\t2782\t4477\tthree\r\n")
            await until(lambda: len(texts(publisher)) == 3)
            await until(lambda: poller.has_read_all and metrics.LAG._value.get() == 0)
    assert texts(publisher) == [
        line("one"),
        line("two", network_id="655"),
        b"2026-03-29 12:00:00\t2782\t4477\tthree",
    ]
    assert publisher.published[0][1] == HANDSET.encode()
    assert metrics.UP._value.get() == 1
    assert metrics.LAST_SUCCESS._value.get() > 0


async def test_a_poller_that_starts_again_goes_on_where_it_was(
    folder: Path, tmp_path: Path
) -> None:
    publisher = FakePublisher()
    with serving(folder) as peer:
        settings = peer.settings(tmp_path / "home", ftp_poll_seconds=QUICK)
        big = b"".join(line("x" * 100, mo_msg_id=str(n)) + b"\n" for n in range(3_000))
        append(peer, big)
        async with polling(settings, publisher):
            await until(lambda: len(texts(publisher)) == 3_000)
        peer.commands.clear()
        append(peer, line("more") + b"\n")
        async with polling(settings, publisher):
            await until(lambda: len(texts(publisher)) == 3_001)
        assert peer.sent("REST")[0] == str(len(big) - 65_536)
    assert texts(publisher)[-1] == line("more")


async def test_what_is_refused_is_kept(folder: Path, tmp_path: Path) -> None:
    publisher = FakePublisher()
    too_long = line("x" * (MAX_LINE + 10))
    with serving(folder) as peer:
        append(peer, b"t\t\t4477\tno handset\n" + too_long + b"\n" + line("next") + b"\n")
        async with polling(peer.settings(tmp_path / "home"), publisher):
            await until(lambda: texts(publisher) == [line("next")])
    letters = [one for one in publisher.of(DEAD_LETTER) if isinstance(one, DeadLetter)]
    assert [one.reason for one in letters] == ["missing-from"] + 2 * ["unreadable-record"]
    assert b"".join(one.octets for one in letters[1:]) == too_long
    assert len({one.dead_letter_id for one in letters}) == 3


async def test_nothing_moves_without_kafka_and_nothing_is_lost(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    publisher = FakePublisher(acknowledges=False)
    with serving(folder) as peer:
        append(peer, line("one") + b"\n")
        settings = peer.settings(tmp_path / "home", ftp_poll_seconds=QUICK)
        async with polling(settings, publisher) as poller:
            await until(lambda: "once Kafka answers" in caplog.text)
            assert peer.commands == []  # it does not even call
            publisher.acknowledges = True
            await until(lambda: poller.has_read_all)
            publisher.published.clear()
            publisher.held = asyncio.get_running_loop().create_future()
            publisher.held.set_result(False)
            append(peer, line("two") + b"\n")
            before = errors("kafka")
            await until(lambda: errors("kafka") > before + 1)
            publisher.held = None
            await until(lambda: texts(publisher) == [line("two")])


async def test_a_wrong_password_is_said_once_and_tried_rarely(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "REFUSED_SECONDS", (QUICK, QUICK, 3_600.0))
    wrong = "not-it"
    with serving(folder) as peer:
        before = errors("refused")
        async with polling(peer.settings(tmp_path / "home", ftp_password=wrong), FakePublisher()):
            await until(lambda: errors("refused") == before + 3)
            assert len(peer.sent("PASS")) == 3
    assert metrics.UP._value.get() == 0
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert "ftp_password" in said[0].getMessage()
    assert wrong not in caplog.text


def test_a_refused_login_is_never_tried_often_enough_to_lock_an_account(tmp_path: Path) -> None:
    """Some servers lock an account after five tries in an hour; the poller makes three."""
    poller = Poller(settings_of(tmp_path), publisher=FakePublisher())
    tried_at = [0.0]
    for refusals in range(1, 6):
        poller._refusals = refusals
        tried_at.append(tried_at[-1] + poller._wait_after_trouble(1.0))
    assert sum(at < 3_600 for at in tried_at) == 3
    assert all(later - at >= 3_600 for at, later in pairwise(tried_at[2:]))


async def test_a_server_that_is_away_is_said_once_and_read_when_it_is_back(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = FakePublisher()
    with serving(folder) as peer:
        port = peer.port
        append(peer, line("one") + b"\n")
        settings = peer.settings(tmp_path / "home", ftp_poll_seconds=QUICK)
    before = errors("unreachable")
    async with polling(settings, publisher):
        await until(lambda: errors("unreachable") > before + 2)
        assert metrics.UP._value.get() == 0
        with serving(folder, port=port):
            await until(lambda: texts(publisher) == [line("one")])
            await until(lambda: metrics.UP._value.get() == 1)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1
    assert f"127.0.0.1:{port}: unreachable" in said[0]


async def test_without_room_for_the_checkpoint_nothing_is_published(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = FakePublisher()
    with serving(folder) as peer:
        append(peer, line("one") + b"\n")
        settings = peer.settings(tmp_path / "home", ftp_poll_seconds=QUICK)
        blocked = tmp_path / "home" / "ftp" / "checkpoint.new"
        blocked.mkdir(parents=True)
        before = errors("disk")
        async with polling(settings, publisher):
            await until(lambda: errors("disk") > before + 2)
            assert texts(publisher) == []
            blocked.rmdir()
            await until(lambda: texts(publisher) == [line("one")])
    assert (
        sum("the checkpoint cannot be written" in record.getMessage() for record in caplog.records)
        == 1
    )


async def test_a_second_poller_of_one_home_is_refused(folder: Path, tmp_path: Path) -> None:
    with serving(folder) as peer:
        settings = peer.settings(tmp_path / "home")
        async with polling(settings, FakePublisher()) as poller:
            await until(lambda: poller.has_read_all)
            with pytest.raises(FolderTaken):
                await Poller(settings, publisher=FakePublisher()).run(asyncio.Event())


async def test_a_poll_in_its_middle_ends_when_the_process_is_told_to(
    folder: Path, tmp_path: Path
) -> None:
    publisher = FakePublisher()
    with serving(folder, sent_a_second=1_000) as peer:
        append(peer, (line("one") + b"\n") * 10_000)
        async with polling(peer.settings(tmp_path / "home"), publisher):
            await until(lambda: bool(peer.sent("RETR")))
    assert len(texts(publisher)) < 10_000


async def test_no_secret_and_no_handset_is_logged(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    publisher = FakePublisher()
    with serving(folder) as peer:
        append(peer, line("a word") + b"\n" + line("%", mo_msg_id="7") + b"\nt\t1\t2\t%zz\n")
        async with polling(peer.settings(tmp_path / "home"), publisher) as poller:
            await until(lambda: poller.has_read_all)
    ours = "\n".join(record.getMessage() for record in caplog.records if "twoway" in record.name)
    for secret in (PASSWORD, HANDSET, "a word"):
        assert secret not in ours


def settings_of(home: Path, **given: Any) -> Settings:
    return Settings(
        **{"home": home, "ftp_host": "127.0.0.1", "ftp_user": "u", "ftp_tls": "off"} | given
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ftp_host": ""}, "ftp_host and ftp_user"),
        ({"ftp_user": ""}, "ftp_host and ftp_user"),
        ({"ftp_path": "in/"}, "must name a file"),
        ({"ftp_path": "mo.log\r\nDELE mo.log"}, "ftp_path must be one line"),
        ({"ftp_password": "a\nb"}, "ftp_password must be one line"),
        ({"ftp_poll_seconds": 0.0}, "ftp_poll_seconds"),
        ({"ftp_tls": "yes"}, "ftp_tls must be one of"),
        ({"ftp_tls": "on", "ftp_ca": "/no/such.pem"}, "ftp_ca: "),
        ({"ftp_host": "ftp.example.com"}, "only to loopback"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(FtpError, match=words):
        Poller(settings_of(tmp_path, **given), publisher=FakePublisher())


def test_plain_over_a_network_must_be_said(tmp_path: Path) -> None:
    given = {"ftp_host": "ftp.example.com", "ftp_tls": "plain"}
    assert Poller(settings_of(tmp_path, **given), publisher=FakePublisher())
