"""`twoway report`: what it asks the report for, and that a download is whole or not there."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING, ClassVar

import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.store.report.export.saved import SavedReportsError, saved_reports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAVED = """
[[report]]
name = "stops"
list = "opt-outs"
filters = { number = "88801" }
format = "xlsx"
"""
CSV = b"at,handset\r\n2026-03-04,447700900001\r\n"


class Server(http.server.BaseHTTPRequestHandler):
    """Answers every download; one that ends with `broken` ends too early."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if "refused" in self.path:
            self.send_response(400)
            self.send_header("Content-Length", "14")
            self.end_headers()
            self.wfile.write(b"no such filter")
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(CSV), CSV))
        if "broken" in self.path:
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Server.asked.clear()
    (tmp_path / "reports.toml").write_text(SAVED)
    monkeypatch.setattr(
        "pipeline.cli.ask.report_client.report_of",
        lambda _: f"http://127.0.0.1:{server.server_port}",
    )
    yield str(tmp_path)
    server.shutdown()
    thread.join()
    server.server_close()


def run(home: str, *words: str) -> tuple[int, bytes, str]:
    result = CliRunner().invoke(app, ["report", *words, "--home", home])
    said = str(result.exception or "") + result.stderr
    return result.exit_code, result.stdout_bytes, said


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["lines"], "/csv/lines?"),
        (["lines", "--format", "parquet"], "/parquet/lines?"),
        (
            ["opt-outs", "--since", "2026-03-01", "--until", "2026-03-31"],
            "/csv/opt-outs?from=2026-03-01&to=2026-03-31",
        ),
        (["stops"], "/xlsx/opt-outs?number=88801"),
        (["stops", "--format", "csv"], "/csv/opt-outs?number=88801"),
        (["stops", "--filter", "number=88802"], "/xlsx/opt-outs?number=88802"),
        (
            ["lines", "--filter", "text=a&b", "--filter", "state=failed"],
            "/csv/lines?text=a%26b&state=failed",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_is_asked_for(address: str, words: list[str], path: str) -> None:
    assert run(address, *words)[:2] == (0, CSV)
    assert Server.asked == [path]


def test_a_file_is_whole_or_not_there(address: str, tmp_path: Path) -> None:
    file = tmp_path / "stops.csv"
    code, printed, _ = run(address, "lines", "-o", str(file))
    assert (code, printed, file.read_bytes()) == (0, b"", CSV)
    file.unlink()
    code, _, said = run(address, "lines", "--filter", "text=broken", "-o", str(file))
    assert code == 1
    assert "broke off" in said or "end" in said
    assert sorted(each.name for each in tmp_path.iterdir()) == ["reports.toml"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "there is no list and no saved report 'nothing'"),
        (["lines", "--format", "pdf"], "--format is none of csv, xlsx, parquet"),
        (["lines", "--filter", "state"], "expected NAME=VALUE"),
        (["lines", "--filter", "text=refused"], "refused this (400): no such filter"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said(address: str, words: list[str], said: str) -> None:
    code, printed, words_said = run(address, *words)
    assert (code, printed) == (1, b"")
    assert said in words_said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[report]]\nname = 'a'\nlist = 'nope'", "list is none of"),
        ("[[report]]\nname = 'lines'\nlist = 'lines'", "that of a list"),
        ("[[report]]\nname = 'a'\nlist = 'lines'\nformat = 'pdf'", "format is none of"),
        ("[[report]]\nname = 'a'\nlist = 'lines'\ncolour = 1", "colour"),
        (
            "[[report]]\nname = 'a'\nlist = 'opt-outs'\nfilters = {text = 'x'}",
            "has no filter text",
        ),
        ("[[report]]\nname = 'a'\nlist = 'lines'\nfilters = {from = 'x'}", "is not a time"),
        ("[[report]]\nname = 'a'\nlist = 'lines'\n" * 2, "one name"),
        ("[[report", "reports.toml"),
    ],
)
def test_a_file_of_saved_reports_that_is_wrong_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "reports.toml").write_text(text)
    with pytest.raises(SavedReportsError, match=words):
        saved_reports(tmp_path)


def test_no_file_is_no_reports(tmp_path: Path) -> None:
    assert saved_reports(tmp_path) == {}
