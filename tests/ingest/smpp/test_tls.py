"""The TLS handshake with a gateway whose certificate is right, and with gateways whose is wrong."""

from __future__ import annotations

import asyncio
import logging
import shutil
import ssl
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from ingest.smpp import metrics, process
from pipeline.wire.smpp.pdu import Status
from tests.ingest.http.support import FakePublisher
from tests.ingest.smpp.smsc import SECRET, receiving, until
from tests.wire.smpp.test_callback import pdu_of

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

OPENSSL = shutil.which("openssl") or ""
pytestmark = pytest.mark.skipif(not OPENSSL, reason="no openssl: apt-get install openssl (Debian)")

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(folder: Path, *words: str) -> None:
    """Run openssl in this folder; raise if it fails."""
    subprocess.run([OPENSSL, *words], cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True)
class Certificates:
    """Two authorities, of which one is trusted, and the certificates that they signed."""

    folder: Path

    def make_authority(self, name: str) -> None:
        subject = f"/CN={name}"
        into = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2"]
        openssl(self.folder, "req", "-x509", *KEY, *into, "-subj", subject)

    def make(self, name: str, *, names: str, authority: str = "trusted", days: int = 2) -> None:
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        into = ["-keyout", f"{name}.key", "-out", f"{name}.csr"]
        openssl(self.folder, "req", *KEY, *into, "-subj", f"/CN={name}")
        signing = ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-CAcreateserial"]
        reading = ["-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.pem"]
        openssl(self.folder, "x509", "-req", *signing, *reading, "-days", str(days))


@dataclass
class Listening:
    """The gateway's side of TLS, and the name that each caller asked for (SNI, RFC 6066 3)."""

    certificates: Path
    name: str
    asked_for: list[str | None] = field(default_factory=list)

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = self.certificates
        context.load_cert_chain(folder / f"{self.name}.pem", folder / f"{self.name}.key")
        context.sni_callback = lambda _, name, __: self.asked_for.append(name)
        return context


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make_authority("trusted")
    made.make_authority("stranger")
    made.make("right", names="DNS:localhost,IP:127.0.0.1")
    made.make("expired", names="DNS:localhost", days=-1)
    made.make("of-a-stranger", names="DNS:localhost", authority="stranger")
    made.make("of-another-host", names="DNS:gateway.example")
    return made.folder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "BACKOFF_SECONDS", (0.01, 0.02))


def tls(certificates: Path, **given: Any) -> dict[str, Any]:
    """Settings that trust one authority."""
    trusted = {"smpp_tls": "on", "smpp_ca": str(certificates / "trusted.pem")}
    return {"smpp_host": "localhost"} | trusted | given


def run(work: Coroutine[Any, Any, None], *, loop: str) -> None:
    """Run on asyncio's own event loop, or on the one that the process uses."""
    (uvloop.run if loop == "uvloop" else asyncio.run)(work)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("host", "asked_for"),
    [
        pytest.param("localhost", "localhost", id="by-name"),
        pytest.param("127.0.0.1", None, id="by-address"),
    ],
)
def test_a_certificate_that_is_right_is_bound_through(
    tmp_path: Path, certificates: Path, host: str, asked_for: str | None, loop: str
) -> None:
    listening = Listening(certificates, "right")
    publisher = FakePublisher()
    given = tls(certificates, smpp_host=host)

    async def deliver() -> None:
        async with receiving(tmp_path, publisher, tls=listening.context(), **given) as (smsc, _, _):
            session = await smsc.bound()
            assert session.bind is not None
            assert session.bind.password == SECRET
            chosen = session.writer.get_extra_info("ssl_object").version()
            assert chosen in {"TLSv1.2", "TLSv1.3"}
            assert await session.deliver(pdu_of(), sequence=1) == Status.OK

    run(deliver(), loop=loop)
    assert len(publisher.published) == 1
    assert listening.asked_for == [asked_for]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        pytest.param("expired", {}, "certificate has expired", id="expired"),
        pytest.param("of-a-stranger", {}, "unable to get local issuer", id="untrusted"),
        pytest.param("right", {"smpp_ca": ""}, "unable to get local issuer", id="not-the-systems"),
        pytest.param("of-another-host", {}, "Hostname mismatch", id="wrong-host-name"),
    ],
)
def test_a_certificate_that_is_not_gets_no_password(
    tmp_path: Path,
    certificates: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
    given: dict[str, Any],
    words: str,
    loop: str,
) -> None:
    caplog.set_level(logging.WARNING, logger="twoway.smpp")
    listening = Listening(certificates, name)
    untrusted = metrics.BINDS.labels("untrusted")._value

    async def refuse() -> None:
        before = untrusted.get()
        context, settings = listening.context(), tls(certificates, **given)
        async with receiving(tmp_path, FakePublisher(), tls=context, **settings) as (smsc, _, _):
            await until(lambda: untrusted.get() >= before + 2)
            assert smsc.attempts == 0

    run(refuse(), loop=loop)
    assert listening.asked_for[0] == "localhost"
    (said,) = [line for line in caplog.messages if "cannot be reached" in line]
    assert words in said


async def test_a_gateway_without_tls_gets_no_password(tmp_path: Path, certificates: Path) -> None:
    untrusted = metrics.BINDS.labels("untrusted")._value
    before = untrusted.get()
    async with receiving(tmp_path, FakePublisher(), **tls(certificates)) as (smsc, _, _):
        smsc.greets = b"220 not SMPP, and not TLS\r\n"
        await until(lambda: untrusted.get() > before)
        assert smsc.attempts == 0
