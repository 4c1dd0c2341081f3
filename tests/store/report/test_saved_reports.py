"""Reports that a page saves, and downloads that are made behind it."""

from __future__ import annotations

import asyncio
import html
import re
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.clickhouse.database import INSERTS_NAME
from pipeline.store.query.questions import Questions
from pipeline.store.report.downloads.jobs import ExportJob, ExportJobs
from pipeline.store.report.export.answer import Exports
from pipeline.store.report.export.saved import SavedReport
from pipeline.store.report.export.saved_book import (
    BOOK_NAME,
    SavedBook,
    open_book,
    reports_of_pages,
)
from pipeline.store.report.lists.filters import BadFilter, Filters
from pipeline.store.report.lists.listings import LINES
from pipeline.store.report.lists.reading import ListReader
from tests.store.report.scene import scene, store_scene
from tests.store.report.serving_report import Running
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from pipeline.store.clickhouse.database import Database

STOPS = SavedReport(name="stops", list="opt-outs", filters={"number": "88801"}, format="xlsx")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def running(database: Database, home: Path) -> Iterator[Running]:
    store_scene(database, scene())
    opened = Running(database, saved=open_book(home), home=home)
    yield opened
    opened.stop()


@pytest.fixture
def client(running: Running) -> httpx.Client:
    return running.client


def posted(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """A form as the page has it."""
    page = client.get("/list/lines").text
    token = re.findall(r'name="form_token" value="([^"]+)"', page)[0]
    return client.post(path, data={"form_token": token} | fields)


def test_a_report_is_saved_run_and_dropped(client: httpx.Client, home: Path) -> None:
    fields = {"name": "late-ones", "list": "lines", "filters": "text=parcel", "format": "csv"}
    assert posted(client, "/reports", action="save", **fields).status_code == 303
    page = client.get("/reports").text
    link = html.unescape(re.findall(r'<a href="(csv/lines[^"]*)" download>late-ones<', page)[0])
    assert client.get(f"/{link}").text.count("\r\n") == 2  # the heading, and one
    assert reports_of_pages(home)["late-ones"].filters == {"text": "parcel"}
    assert stat.S_IMODE((home / BOOK_NAME).stat().st_mode) == 0o600
    assert posted(client, "/reports", action="drop", name="late-ones").status_code == 303
    assert "late-ones" not in client.get("/reports").text
    assert reports_of_pages(home) == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "list": "lines"}, "a name has"),
        ({"name": "../x", "list": "lines"}, "a name has"),
        ({"name": "a\nb", "list": "lines"}, "a name has"),
        ({"name": "lines", "list": "lines"}, "that of a list"),
        ({"name": "x", "list": "nothing"}, "list is none of"),
        ({"name": "x", "list": "lines", "format": "exe"}, "format is none of"),
        ({"name": "x", "list": "opt-outs", "filters": "text=a"}, "no filter text"),
        ({"name": "x", "list": "lines", "filters": "from=soon"}, "is not a time"),
    ],
)
def test_what_is_no_report_is_not_saved(
    client: httpx.Client, home: Path, fields: dict[str, str], words: str
) -> None:
    answer = posted(client, "/reports", action="save", **fields)
    assert answer.status_code == 400
    assert words in answer.text
    assert reports_of_pages(home) == {}


@pytest.mark.parametrize("path", ["/reports", "/jobs", "/job"])
def test_a_form_of_another_page_does_nothing(client: httpx.Client, path: str) -> None:
    assert client.post(path, data={"name": "x", "list": "lines"}).status_code == 400


def test_a_book_that_a_crash_cut_keeps_every_whole_line(tmp_path: Path) -> None:
    book = open_book(tmp_path)
    book.save(STOPS, by="ann")
    with (tmp_path / BOOK_NAME).open("ab") as file:
        file.write(b'{"name":"half","rep')
    again = open_book(tmp_path)
    assert again.reports == {"stops": STOPS}
    again.save(SavedReport(name="more", list="lines"), by="ann")
    again.drop("stops", by="bob")
    assert list(open_book(tmp_path).reports) == ["more"]


def test_what_the_file_has_no_page_changes(tmp_path: Path) -> None:
    (tmp_path / "reports.toml").write_text('[[report]]\nname = "stops"\nlist = "opt-outs"\n')
    book = open_book(tmp_path)
    with pytest.raises(BadFilter, match=r"reports\.toml"):
        book.save(STOPS, by="ann")
    with pytest.raises(BadFilter, match="no page saved"):
        book.drop("stops", by="ann")


def test_without_a_home_to_write_to_nothing_is_saved() -> None:
    with pytest.raises(BadFilter, match="no home"):
        SavedBook().save(STOPS, by="")


def ended(client: httpx.Client, address: str) -> str:
    """The page of a download, once it is no longer under way."""
    for _ in range(300):
        page = client.get(address).text
        if "Under way" not in page and "It waits" not in page:
            return page
        time.sleep(0.05)
    raise AssertionError(page)


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_a_download_behind_the_page_is_the_same_file(client: httpx.Client, form: str) -> None:
    answer = posted(client, "/jobs", list="lines", filters="text=parcel", format=form)
    assert answer.status_code == 303
    page = ended(client, answer.headers["location"])
    assert "1 row," in page
    file = client.get(re.findall(r'href="(job-file[^"]+)"', page)[0])
    assert file.headers["content-disposition"] == f'attachment; filename="lines.{form}"'
    assert file.headers["cache-control"] == "no-store"
    direct = client.get(f"/{form}/lines?text=parcel").content
    if form == "csv":
        assert file.content == direct
    else:
        assert file.content[:4] == direct[:4]
        assert len(file.content) == pytest.approx(len(direct), abs=400)
    id = answer.headers["location"].partition("=")[2]
    assert posted(client, "/job", id=id).status_code == 303
    assert client.get(f"/job-file?id={id}").status_code == 404


def test_nobody_fetches_what_is_not_there(client: httpx.Client) -> None:
    for id in ("", "x", "../../etc/passwd", "0" * 32):
        assert client.get("/job", params={"id": id}).status_code == 404
        assert client.get("/job-file", params={"id": id}).status_code == 404


class Broken(Questions):
    """Questions whose rows cannot be read."""

    async def columns(self, *_: Any) -> Any:
        raise RuntimeError("the disk is gone")


async def test_jobs_end_are_bounded_and_their_files_are_removed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = questions_of(database)
    spool = tmp_path / INSERTS_NAME
    exports = Exports(ListReader(questions), questions, spool)
    jobs = ExportJobs(exports, spool, kept_seconds=60.0)
    loop = asyncio.get_running_loop()
    call_later = loop.call_later
    removals: list[tuple[float, ExportJob]] = []

    def put_off(seconds: float, call: Any, *given: Any, **more: Any) -> Any:
        if call != jobs.forget_job:
            return call_later(seconds, call, *given, **more)
        return removals.append((seconds, *given))

    monkeypatch.setattr(loop, "call_later", put_off)
    found = [jobs.start(LINES, Filters(), "csv", owner="ann") for _ in range(5)]
    with pytest.raises(BadFilter, match="many downloads"):
        jobs.start(LINES, Filters(), "csv", owner="ann")
    assert jobs.job_of(found[0].id, "bob") is None  # another's
    assert len(jobs.of_caller("bob")) == 0
    await asyncio.gather(*(job.task for job in found if job.task))
    assert {job.state for job in found} == {"done"}
    assert len(list(spool.iterdir())) == 5
    assert removals == [(60.0, job) for job in found]
    for _, job in removals:
        jobs.forget_job(job)
    assert list(spool.iterdir()) == []
    assert jobs.of_caller("ann") == []


async def test_a_download_that_breaks_off_says_so_and_leaves_no_file(
    database: Database, tmp_path: Path
) -> None:
    questions = Broken(database)
    jobs = ExportJobs(Exports(ListReader(questions), questions, tmp_path), tmp_path)
    job = jobs.start(LINES, Filters(), "csv", owner="")
    assert job.task is not None
    await job.task
    assert (job.state, job.words) == ("failed", "the disk is gone")
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  a test
