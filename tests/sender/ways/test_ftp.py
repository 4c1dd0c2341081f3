"""The way by FTP with a server that answers, refuses, is silent, lies and breaks off."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.way import PermitEnded, ProbeFailed, Trouble
from pipeline.sender.ways.ftp.way import FtpWay
from tests.ingest.ftp.peer import PASSWORD
from tests.sender.ways.apis import SECRET, always, api_of, never, submission_of
from tests.sender.ways.ftp_server import CLOSE, HANG, TRICKS, Tricks, uploading

if TYPE_CHECKING:
    from pathlib import Path

SOON = 1.0  # seconds
NAME = "e3f19b7c5d0a4862b1c7f4093ad8625e.txt"
NEXT = "0" * 32
MODES = ["suffix", "folder", "none"]


def files_of(folder: Path) -> dict[str, str]:
    """Every file with its text, by its path in the folder."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes().decode("ascii") for path in paths}


async def goes_on(way: FtpWay, tricks: Tricks, folder: Path) -> None:
    """The next command goes as usual."""
    tricks.planned.clear()
    (answer,) = await way.submit(submission_of("next", command_id=NEXT), always)
    assert answer.outcome is Outcome.SUBMITTED, answer
    found = [name for name, text in files_of(folder).items() if "\r\ntext:next\r\n" in text]
    assert found == [f"{NEXT}.txt"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lacks", [(), ("MLST",), ("MLST", "SIZE")], ids=str)
async def test_a_file_is_handed_over(mode: str, lacks: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder, temporary=mode, lacks=lacks) as (way, tricks, peer):
        (answer,) = await way.submit(submission_of("line one\nline two"), always)
        assert (answer.outcome, answer.gateway_message_ids) == (Outcome.SUBMITTED, ())
        assert answer.words.startswith("handed over by FTP")
        files = files_of(folder)
        assert list(files) == [NAME]
        assert files[NAME].split("\r\n")[:6] == [
            "api_id:1234",
            "user:customer",
            f"password:{SECRET}",
            "to:447700900123",
            "text:line one",
            "text:line two",
        ]
        assert files[NAME].endswith("\r\n")
        stored = {"suffix": f"{NAME}.part", "folder": f"tmp/{NAME}", "none": NAME}[mode]
        assert [each.rpartition("files/")[2] for each in peer.sent("STOR")] == [stored]
        (again,) = await way.submit(submission_of("line one\nline two"), always)
        if mode == "none" and "SIZE" in lacks:
            assert again.outcome is Outcome.UNKNOWN
        else:
            assert (again.outcome, "already" in again.words) == (Outcome.SUBMITTED, True)
        assert len(peer.sent("STOR")) == 1
        await goes_on(way, tricks, folder)


async def test_files_go_into_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "out").mkdir(parents=True)
    with uploading(folder, folder="out") as (way, _, _peer):
        await way.submit(submission_of(), always)
        assert list(files_of(folder)) == [f"out/{NAME}"]
    with uploading(folder, folder="elsewhere") as (way, _, _peer):
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.REFUSED)


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("moment", ["USER", "TYPE", "MLST", "PASV", "STOR", "RNFR"])
async def test_before_the_final_name_nothing_was_sent(
    moment: str, trick: str, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    with uploading(folder, timeout_seconds=SOON) as (way, tricks, _):
        tricks.planned[moment] = trick
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True), answer
        assert answer.trouble is Trouble.UNREACHABLE
        assert NAME not in files_of(folder)
        tricks.planned.clear()
        (again,) = await way.submit(submission_of(), always)
        assert again.outcome is Outcome.SUBMITTED
        assert list(files_of(folder)) == [NAME]
        await goes_on(way, tricks, folder)


@pytest.mark.parametrize("trick", TRICKS)
async def test_a_file_that_was_stored_without_an_answer_is_not_sent_yet(
    trick: str, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    with uploading(folder, timeout_seconds=SOON) as (way, tricks, _):
        tricks.planned["STOR=226"] = trick
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True), answer
        assert list(files_of(folder)) == [f"{NAME}.part"]
        (again,) = await way.submit(submission_of(), always)
        assert again.outcome is Outcome.SUBMITTED
        assert list(files_of(folder)) == [NAME]
        await goes_on(way, tricks, folder)


@pytest.mark.parametrize("mode", MODES[:2])
@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("moment", ["RNTO", "RNTO=250"])
async def test_after_a_rename_without_an_answer_it_is_looked_at(
    moment: str, trick: str, mode: str, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    with uploading(folder, timeout_seconds=SOON, temporary=mode) as (way, tricks, peer):
        tricks.planned[moment] = trick
        (answer,) = await way.submit(submission_of(), always)
        assert answer.outcome is Outcome.SUBMITTED, answer
        assert list(files_of(folder)) == [NAME]
        assert len(peer.sent("STOR")) == 1
        await goes_on(way, tricks, folder)


@pytest.mark.parametrize("trick", TRICKS)
async def test_without_a_temporary_name_it_is_looked_at_too(trick: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder, timeout_seconds=SOON, temporary="none") as (way, tricks, peer):
        tricks.planned["STOR=226"] = trick
        (answer,) = await way.submit(submission_of(), always)
        assert answer.outcome is Outcome.SUBMITTED, answer
        assert len(peer.sent("STOR")) == 1
        await goes_on(way, tricks, folder)


@pytest.mark.parametrize("moment", ["RNTO=250", "RNTO"])
async def test_what_cannot_be_looked_at_is_unknown(moment: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder, timeout_seconds=SOON) as (way, tricks, _):
        tricks.planned[moment] = CLOSE

        def may_go() -> bool:
            tricks.planned["USER"] = CLOSE
            return True

        (answer,) = await way.submit(submission_of(), may_go)
        assert (answer.outcome, answer.trouble) == (Outcome.UNKNOWN, Trouble.UNREACHABLE)
        await goes_on(way, tricks, folder)


async def test_where_neither_name_is_there_it_is_unknown(tmp_path: Path) -> None:
    """The gateway may have taken the file already."""
    folder = tmp_path / "files"
    with uploading(folder, timeout_seconds=SOON) as (way, tricks, _):
        tricks.planned["RNTO=250"] = CLOSE
        asked = []

        def may_go() -> bool:
            asked.append(1)
            tricks.planned["MLST"] = "550 it is gone"
            return True

        (answer,) = await way.submit(submission_of(), may_go)
        assert len(asked) == 2
        assert answer.outcome is Outcome.UNKNOWN
        assert list(files_of(folder)) == [NAME]


@pytest.mark.parametrize("mode", MODES)
async def test_without_a_permit_nothing_is_left(mode: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder, temporary=mode) as (way, tricks, _):
        with pytest.raises(PermitEnded):
            await way.submit(submission_of(), never)
        assert files_of(folder) == {}
        await goes_on(way, tricks, folder)


@pytest.mark.parametrize("mode", MODES[:2])
async def test_a_permit_that_ends_before_the_final_name(mode: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    permits = iter([True, False])
    with uploading(folder, temporary=mode) as (way, tricks, _):
        with pytest.raises(PermitEnded):
            await way.submit(submission_of(), lambda: next(permits))
        assert files_of(folder) == {}
        await goes_on(way, tricks, folder)


@pytest.mark.parametrize(
    ("moment", "words", "code", "trouble"),
    [
        ("STOR", "452 full", "452", Trouble.NONE),
        ("STOR", "553 no", "553", Trouble.REFUSED),
        ("STOR=226", "451 broken", "451", Trouble.NONE),
        ("RNFR", "450 busy", "450", Trouble.NONE),
        ("RNTO", "553 no", "553", Trouble.REFUSED),
    ],
)
async def test_refusals(
    moment: str, words: str, code: str, trouble: Trouble, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    with uploading(folder) as (way, tricks, _):
        tricks.planned[moment] = words
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert (answer.code, answer.trouble) == (code, trouble)
        assert NAME not in files_of(folder)
        await goes_on(way, tricks, folder)


async def test_a_file_that_arrived_in_part_is_not_renamed(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder) as (way, tricks, _):
        tricks.planned["SIZE"] = "213 7"
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert list(files_of(folder)) == [f"{NAME}.part"]
        await goes_on(way, tricks, folder)


async def test_tls(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder, tls=True) as (way, tricks, _):
        await way.submit(submission_of(), always)
        assert list(files_of(folder)) == [NAME]
        await goes_on(way, tricks, folder)


async def test_a_wrong_certificate_gets_no_password(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder, tls=True, certified="example.com") as (way, _, peer):
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
        assert not {"USER", "PASS", "STOR"} & {command for command, _ in peer.commands}


async def test_a_wrong_password_is_trouble_of_the_api(tmp_path: Path) -> None:
    with uploading(tmp_path / "files", login_password="not-this-one") as (way, _, _peer):  # noqa: S106
        (answer,) = await way.submit(submission_of(), always)
        assert (answer.outcome, answer.is_temporary) == (Outcome.FAILED, True)
        assert answer.trouble is Trouble.REFUSED
        with pytest.raises(ProbeFailed, match="530"):
            await way.probe()


async def test_nobody_listens() -> None:
    way = FtpWay(api_of(WayName.FTP, 1))
    (answer,) = await way.submit(submission_of(), always)
    assert (answer.outcome, answer.trouble) == (Outcome.FAILED, Trouble.UNREACHABLE)
    with pytest.raises(ProbeFailed):
        await way.probe()
    await way.close()


async def test_a_probe_sends_nothing(tmp_path: Path) -> None:
    with uploading(tmp_path / "files", timeout_seconds=SOON) as (way, tricks, peer):
        assert "takes files" in await way.probe()
        assert [command for command, _ in peer.commands if command in ("NOOP", "STOR")] == ["NOOP"]
        tricks.planned["NOOP"] = HANG
        with pytest.raises(ProbeFailed, match="no answer within 1 s"):
            await way.probe()
        assert await way.ask_about(NEXT) is None


async def test_no_more_threads_than_the_window(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    with uploading(folder, window=2) as (way, _, _peer):
        found = await asyncio.gather(
            *(way.submit(submission_of(command_id=f"{n:032}"), always) for n in range(6))
        )
        assert {answer.outcome for (answer,) in found} == {Outcome.SUBMITTED}
        assert len(files_of(folder)) == 6
        assert len(way._threads._threads) <= 2


async def test_what_cannot_go_is_refused_here() -> None:
    way = FtpWay(api_of(WayName.FTP, 1))
    (answer,) = await way.submit(submission_of("x" * 600), always)
    assert (answer.outcome, answer.code) == (Outcome.FAILED, "too-many-parts")


async def test_nothing_of_the_message_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with uploading(tmp_path / "files", timeout_seconds=SOON) as (way, tricks, _):
        tricks.planned["STOR"] = f"553 {PASSWORD} to 447700900123"
        (answer,) = await way.submit(submission_of("a secret text"), always)
        assert PASSWORD not in answer.words
        assert "447700900123" not in answer.words
        await way.submit(submission_of("a secret text"), always)
    ours = "\n".join(
        record.getMessage() for record in caplog.records if "pyftpdlib" not in record.name
    )
    for secret in ("secret text", "447700900123", SECRET, PASSWORD):
        assert secret not in ours


@pytest.mark.parametrize(
    "given",
    [
        {"temporary": "perhaps"},
        {"folder": "out\r\nDELE x"},
        {"password": "a\nto:447700900124"},
        {"host": "ftp.example.com"},
    ],
)
def test_an_api_that_no_file_can_reach(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|loopback") as caught:
        FtpWay(api_of(WayName.FTP, 21, **given))
    assert "447700900124" not in str(caught.value)
