"""A whole stack with all that one installation may have beside the first four processes.

Accounts, a reply path, secrets, the ways by SMPP and FTP whose hosts are down, and a report by TLS.
Each test has a number and a handset of its own.
"""

from __future__ import annotations

import json
import ssl
import tempfile
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import trustme

from pipeline.store.report.who.home_secrets import token_of_home
from tests.support.log_search import refuse_handsets_in_logs
from tests.support.looking import looks
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELD, PRICED, HANDED_ON = "447700900100", "447700900101", "447700900102"  # our numbers
SECRETS: Final = {
    "tokens": "token-of-this-test",
    "basic_auth": "ann:word-of-this-test",
    "smpp_password": "smpp-pw",
    "ftp_password": "ftp-pw-of-this-test",
}
_HOSTS_THAT_ARE_DOWN: Final = {
    "smpp_host": "127.0.0.1",
    "smpp_port": "9",
    "smpp_system_id": "two",
    "smpp_tls": "off",
    "ftp_host": "127.0.0.1",
    "ftp_port": "9",
    "ftp_user": "customer",
    "ftp_tls": "off",
}
_NUMBERS: Final = f"""
[[number]]
number = "{HELD}"
kind = "vmn"
api_id = "1"
account = "held"

[[number]]
number = "{PRICED}"
kind = "vmn"
api_id = "1"
account = "priced"

[[number]]
number = "447700900103"
kind = "vmn"
api_id = "1"
account = "new"

[[number]]
number = "{HANDED_ON}"
kind = "vmn"
api_id = "1"
reply_path = "crm"

[[account]]
name = "held"
mode = "{{mode}}"

[[account]]
name = "priced"
mode = "hold"
mo_price = "1/3"
notify_below = "1"

[[account]]
name = "new"
mode = "book"

[reply_path.crm]
way = "http-get"
url = "{{url}}"
"""


class Application:
    """Takes messages by the reply path, and refuses them until it is well."""

    def __init__(self) -> None:
        self.is_well = False
        self.got: list[dict[str, str]] = []
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                pairs = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
                application.got.append({name: values[0] for name, values in pairs.items()})
                self.send_response(200 if application.is_well else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/sms?key=1"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Equipped:
    """The running stack, and the application that it hands on to."""

    running: RunningStack
    application: Application
    trusted: ssl.SSLContext

    def write_numbers(self, *, mode: str = "hold") -> Path:
        """Write the directory; `mode` is that of the account `held`."""
        file = self.running.home / "numbers.toml"
        file.write_text(_NUMBERS.format(mode=mode, url=self.application.url))
        return file

    def start(self) -> None:
        """Start everything."""
        self.write_numbers()
        self.running.start()

    def browser(self) -> httpx.Client:
        """A client of the report that trusts its certificate."""
        address = self.running.stack.report
        return httpx.Client(base_url=address, verify=self.trusted, timeout=60)

    def page(self, path: str) -> str:
        """A page of the report, by the token of the home: a test may have made users."""
        token = token_of_home(self.running.home)
        with self.browser() as client:
            answer = client.get(f"/{path}", headers={"Authorization": f"Bearer {token}"})
        return answer.raise_for_status().text

    def text(self, handset: str, number: str, words: str, *, msg_id: str) -> None:
        """Deliver a message as the gateway does."""
        query = {
            "api_id": "1",
            "from": handset,
            "to": number,
            "text": words,
            "charset": "ISO-8859-1",
            "udh": "",
            "moMsgId": msg_id,
        }
        answer = httpx.get(f"{self.running.stack.ingest}/mo/http?{urlencode(query)}")
        assert answer.status_code == 200, answer.text

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """The rows of a statement, by the command line."""
        said = self.running.cli("sql", statement).stdout
        return [json.loads(line) for line in said.splitlines()]

    def until(self, holds: Callable[[], bool], what: str, *, seconds: float = 90.0) -> None:
        """Wait until it holds."""
        for _ in looks(seconds=seconds):
            if holds():
                return
        raise AssertionError(f"not seen: {what}\n{self.running.said()}")


@pytest.fixture(scope="session")
def equipped() -> Iterator[Equipped]:
    """The suite's stack with everything."""
    with tempfile.TemporaryDirectory(prefix="twoway-equipped-") as name:
        folder, ca = Path(name), trustme.CA()
        home = migrated(folder / "home")
        certificate, key = folder / "report.pem", folder / "report.key"
        issued = ca.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        (home / "settings.toml").write_text(
            f'report_tls_cert = "{certificate}"\nreport_tls_key = "{key}"\n'
        )
        trusted = ssl.create_default_context()
        ca.configure_trust(trusted)
        given = {"partitions": "2", "block_seconds": "0.2"}
        running = RunningStack(home, settings=SECRETS | _HOSTS_THAT_ARE_DOWN | given)
        made = Equipped(running, Application(), trusted)
        try:
            made.start()
            yield made
            running.stop(within_seconds=60)
            refuse_handsets_in_logs(home)
        finally:
            made.application.close()
            running.kill()
