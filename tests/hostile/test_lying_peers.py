"""Whatever a peer answers: the process lives, stays small, logs nothing secret, and continues.

One client for each protocol meets every lie in turn. After each lie it gets an honest answer.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.peer.smpp import BIND_REFUSALS
from pipeline.wire.mo_log import render
from tests.hostile import lying_ftp, lying_smpp
from tests.hostile.lies import NUMBER, SECRET, TEXT
from tests.hostile.lying_server import LyingServer, lying_server, wait_until
from tests.hostile.scale import IS_LONG, SCALE, dice_for
from tests.support.mo import callback
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_KILOBYTES = 32 * 1024
LOG_OCTETS = 1_000_000
MADE_UP = 4 * SCALE


class Client:
    """A process of ours, with the records that it published and the lines that it logged."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, server: LyingServer) -> None:
        self.process = process
        self.server = server
        self.log = folder / "log"
        self._taken = folder / "taken"
        self.sent = b""
        self.idle = 0

    def taken(self) -> int:
        return self._taken.read_bytes().count(b"\n")

    def kilobytes(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0])

    def check(self) -> None:
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        assert self.kilobytes("VmHWM") - self.idle < MOST_KILOBYTES
        said = self.log.read_text()
        assert len(said) < LOG_OCTETS
        for value in (SECRET, NUMBER, TEXT):
            assert value not in said


@contextmanager
def running(name: str, folder: Path, server: LyingServer, **settings: Any) -> Iterator[Client]:
    """A client; ended in order."""
    given = {"home": folder, "log_level": "debug"} | settings
    with (folder / "taken").open("wb") as taken, (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.client_process", name],
            env=environment_without_settings({key: str(value) for key, value in given.items()}),
            stdout=taken,
            stderr=log,
        )
    try:
        yield Client(process, folder, server)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def ftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with (
        lying_server(lying_ftp.served(b"")) as server,
        running(
            "ftp",
            tmp_path_factory.mktemp("ftp"),
            server,
            ftp_host="127.0.0.1",
            ftp_port=server.port,
            ftp_user="customer",
            ftp_password=SECRET,
            ftp_path="folder/mo.log",
            ftp_tls="off",
            ftp_poll_seconds=0.05,
        ) as client,
    ):
        serve_a_line(client)
        client.idle = client.kilobytes("VmRSS")
        yield client


@pytest.fixture(scope="module")
def smpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with (
        lying_server(lying_smpp.honest(b"first")) as server,
        running(
            "smpp",
            tmp_path_factory.mktemp("smpp"),
            server,
            smpp_host="127.0.0.1",
            smpp_port=server.port,
            smpp_system_id="two",
            smpp_password=SECRET,
            smpp_tls="off",
            smpp_enquire_seconds=0.5,
        ) as client,
    ):
        wait_until(lambda: client.taken() > 0)
        client.idle = client.kilobytes("VmRSS")
        yield client


def serve_a_line(client: Client) -> None:
    """Append a line to an honest server's log, and wait until it is published."""
    before = client.taken()
    client.sent += render(callback(f"{TEXT} {len(client.sent)}", handset=NUMBER)) + b"\n"
    client.server.be(lying_ftp.served(client.sent))
    wait_until(lambda: client.taken() > before)


@pytest.mark.parametrize("lie", lying_ftp.LIES)
def test_an_ftp_server_that_lies(ftp: Client, lie: str) -> None:
    at, conduct = lying_ftp.LIES[lie]
    ftp.server.lie(lying_ftp.served(ftp.sent + b"1", at=at, lie=conduct), times=1)
    ftp.check()

    serve_a_line(ftp)
    ftp.check()


@pytest.mark.skipif(not IS_LONG, reason="only in the long form: make hostile")
@pytest.mark.timeout(1200)
def test_a_server_that_tells_lies_in_any_order(
    ftp: Client, record_property: Callable[[str, object], None]
) -> None:
    """One client meets many lies, each chosen together with its step, and then the truth."""
    dice = dice_for("lies of an FTP server")
    for _ in range(MADE_UP):
        at, conduct = lying_ftp.LIES[dice.choice(sorted(lying_ftp.LIES))]
        at = dice.choice([at, at, *lying_ftp.STEPS])
        ftp.server.lie(lying_ftp.served(ftp.sent + b"1", at=at, lie=conduct), times=1)
        serve_a_line(ftp)
        ftp.check()
    record_property("tried", MADE_UP)


@pytest.mark.skipif(not IS_LONG, reason="only in the long form: make hostile")
@pytest.mark.timeout(1200)
def test_a_gateway_that_says_mutated_octets(
    smpp: Client, record_property: Callable[[str, object], None]
) -> None:
    """Deliveries with octets changed, cut or doubled; then an honest one is taken."""
    dice = dice_for("mutated deliveries")
    for _ in range(MADE_UP):
        octets = bytearray(lying_smpp.deliver(TEXT.encode()) * dice.randint(1, 4))
        for _ in range(dice.randint(1, 12)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        smpp.server.be(lying_smpp.said_when_bound(bytes(octets[: dice.randint(1, len(octets))])))
        smpp.server.lie(smpp.server.conduct, times=1)
        smpp.check()
    smpp.server.be(lying_smpp.LIES["hangs-up"])
    before = smpp.taken()
    smpp.server.be(lying_smpp.honest(TEXT.encode()))
    wait_until(lambda: smpp.taken() > before)
    smpp.check()
    record_property("tried", MADE_UP)


@pytest.mark.parametrize("lie", lying_smpp.LIES)
def test_a_gateway_that_lies(smpp: Client, lie: str) -> None:
    smpp.server.be(lying_smpp.LIES[lie])
    smpp.server.lie(lying_smpp.LIES[lie])
    smpp.check()

    smpp.server.be(lying_smpp.LIES["hangs-up"])
    before = smpp.taken()
    smpp.server.be(lying_smpp.honest(TEXT.encode()))
    wait_until(lambda: smpp.taken() > before)
    smpp.check()


def test_a_gateway_that_refuses_many_binds_is_asked_again_and_again(smpp: Client) -> None:
    """After a refusal for good (ESME_RINVPASWD, 0x0E) the client waits longer; here it must not."""
    smpp.server.be(lying_smpp.LIES["bind-echo-wrong-password"])
    smpp.server.lie(smpp.server.conduct, times=BIND_REFUSALS + 2)
    before = smpp.taken()
    smpp.server.be(lying_smpp.honest(TEXT.encode()))
    wait_until(lambda: smpp.taken() > before)
    smpp.check()
