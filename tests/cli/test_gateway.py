"""`twoway gateway`, `text` and `gateway seen`: what they do as processes, and what they refuse."""

import contextlib
import subprocess
import sys
import time

import pytest

from pipeline.gateway.files import where
from pipeline.sender.apis.file import apis_from_file
from tests.cli.test_main import run

TWOWAY = [sys.executable, "-m", "pipeline.cli.main"]
GONE = "http://127.0.0.1:1"
PORTS = [f"--{name}-port=0" for name in ("http", "smpp", "smtp", "ftp")]


def twoway(home, *words):
    return subprocess.run(
        [*TWOWAY, *words, "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextlib.contextmanager
def played(home):
    command = [*TWOWAY, "gateway", "--home", str(home), *PORTS, "--mo-way", "ftp"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 30
        while not where(home) and time.monotonic() < until:
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def test_a_text_of_a_handset_is_in_the_log_and_the_apis_are_written(tmp_path):
    with played(tmp_path):
        done = twoway(tmp_path, "text", "447700900001", "447700900999", "Hello 👋")
        assert done.returncode == 0, done.stderr
        log = (tmp_path / "gateway-ftp/mo.log").read_text()
        assert done.stdout.strip() in log
        (tmp_path / "apis.toml").stat()
        assert (tmp_path / "apis.toml").stat().st_mode & 0o777 == 0o600
        apis = apis_from_file(tmp_path / "apis.toml")
        assert [api.way for api in apis] == ["http", "xml", "soap", "smpp", "smtp", "ftp"]
    assert where(tmp_path) == {}


@pytest.mark.parametrize(("lines", "status"), [(1, 0), (2, 1)])
def test_seen_twice_says_so_by_its_status(tmp_path, lines, status):
    line = '{"client_id": "a", "to": "447700900001", "from": "", "text": "x", "udh": ""}\n'
    (tmp_path / "gateway-seen.jsonl").write_text(line * lines)
    done = twoway(tmp_path, "gateway", "seen", "--twice")
    assert (done.returncode, done.stdout.count("\n")) == (status, lines - 1)


def test_a_message_that_was_cut_by_a_kill_is_no_message(tmp_path):
    (tmp_path / "gateway-seen.jsonl").write_text('{"client_id": "a", "to": "4477')
    done = twoway(tmp_path, "gateway", "seen")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


HANDSET, NUMBER = "447700900001", "447700900999"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("text", HANDSET, NUMBER, "Hi"), 1, "twoway: no stand-in runs under {home}: start"),
        (("phone", HANDSET), 1, "twoway: no stand-in runs under {home}: start"),
        (("text", HANDSET, NUMBER, ""), 2, "TEXT is empty: a handset sends no empty text"),
        (("text", "07700", NUMBER, "Hi"), 2, "the handset '07700' "),
        (("text", HANDSET, "shop", "Hi"), 2, "the number 'shop' is not digits"),
        (("text", HANDSET, NUMBER, "Hi", "--charset", "latin"), 2, "the charset 'latin' is none"),
        (("text", HANDSET, NUMBER, "Hi", "--mo-way", "fax"), 2, "'fax' is not one of"),
        (("phone", "nobody"), 2, "the handset 'nobody' "),
        (("phone", HANDSET, "--to", "shop"), 2, "the number 'shop' is not digits"),
        (("text", HANDSET, NUMBER, "Hi", "--gateway", GONE), 1, f"twoway: {GONE} does not answer"),
        (("phone", HANDSET, "--gateway", GONE), 1, f"stand-in at {GONE} does not answer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_one_sentence(tmp_path, monkeypatch, capsys, words, status, said):
    code, out, err = run([*words, "--home", str(tmp_path)], monkeypatch, capsys)
    assert (code, out) == (status, "")
    assert said.format(home=tmp_path) in err.splitlines()[-1]


@pytest.mark.parametrize("command", [("text",), ("phone",), ("gateway", "seen")], ids=" ".join)
def test_the_help_says_the_exit_codes(monkeypatch, capsys, command):
    code, out, _ = run([*command, "--help"], monkeypatch, capsys)
    assert code == 0
    assert "Exit codes: 0" in " ".join(out.split())
