"""`twoway deliver` with a reply path for each way, and before each application a proxy that lies.

The applications are honest until their proxies lie. By SMPP the application connects to us.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import threading
import time
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import smpplib.client
import smpplib.consts
from pyftpdlib.authorizers import DummyAuthorizer

from pipeline.avro import single_object
from pipeline.cli.local.ports import free_port
from pipeline.directory.directory import numbers_from_toml
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.records import Clock, ReplyWay
from pipeline.settings import Settings
from pipeline.sms.msisdn import key_from_handset
from tests.bench.pipeline_bench import publish
from tests.hostile.lies import NUMBER, SECRET, TEXT
from tests.hostile.peers import tongues
from tests.hostile.peers.installation import PARTITIONS, ManyListeners
from tests.hostile.peers.proxy import lying_proxy
from tests.hostile.peers.watched import watched
from tests.ingest.ftp.peer import serving
from tests.support.delivering import message

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.peers.lies import Tongue

USERS: Final = {way: f"of-{way}" for way in ReplyWay}
#: How each way's application speaks, and in how many pieces until a message is taken. A file has
#: no peer.
TONGUES: Final[dict[ReplyWay, tuple[Tongue, int]]] = {
    **{
        way: (tongues.Http(), 1)
        for way in ReplyWay
        if way not in (ReplyWay.SMPP, ReplyWay.FTP, ReplyWay.FILE)
    },
    ReplyWay.SMPP: (tongues.Smpp(), 2),  # bind, deliver_sm_resp
    ReplyWay.FTP: (tongues.Lines(b"550"), 7),  # welcome, USER, PASS, TYPE, PASV, APPE, its end
}
_SIGNED: Final = "whsec_" + "c2VjcmV0LW9mLWEtdGVzdC0xMjM0NTY3ODkw"
_serial: Final = itertools.count(1)


class Applications:
    """Runs until it is closed. `got` has what honest applications were told, in their words."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.got: list[str] = []
        self._stack = ExitStack()
        with ExitStack() as opening:
            self.kafka = opening.enter_context(lying_proxy(tongues.Kafka()))
            self.broker = ManyListeners(home=home, proxies={"deliver": self.kafka})
            opening.callback(self.broker.kill)
            self.broker.start()
            create_topics(self.broker.bootstrap, Settings(partitions=PARTITIONS))
            self.proxies = {
                way: opening.enter_context(
                    lying_proxy(
                        tongue,
                        steps=steps,
                        lies="client" if way is ReplyWay.SMPP else "upstream",
                    )
                )
                for way, (tongue, steps) in TONGUES.items()
            }
            self._serve(opening)
            self._load_numbers()
            self._write_secrets()
            settings = {
                "kafka": f"127.0.0.1:{self.kafka.port}",
                "partitions": str(PARTITIONS),
                "instance": "deliver",
                "log_level": "info",
                "deliver_smpp_host": "127.0.0.1",
                "deliver_smpp_port": str(self.proxies[ReplyWay.SMPP].upstream),
            }
            self.processes = {"deliver": opening.enter_context(watched("deliver", home, settings))}
            self._over = threading.Event()
            bound = threading.Thread(target=self._stay_bound, daemon=True)
            bound.start()
            opening.callback(bound.join, 5)
            opening.callback(self._over.set)
            self._stack = opening.pop_all()

    def close(self) -> None:
        """End everything."""
        self._stack.close()

    def tell(self, way: ReplyWay) -> str:
        """Have a message handed on by a way; what its application will be told, in its words."""
        name = f"said{next(_serial):06}"
        text = f"{TEXT} {name}"
        given = message(name, NUMBER, number=number_of(way), text=text, octets=text.encode())
        ticks = [
            (topics.CLOCK, None, single_object.encode(_tick()), at) for at in range(PARTITIONS)
        ]
        record = (topics.MO_MESSAGE, key_from_handset(NUMBER), single_object.encode(given))
        asyncio.run(publish(self.broker.bootstrap, [record, *ticks]))
        return name

    def was_told(self, name: str) -> bool:
        """Whether an application has it."""
        log = self._ftp_folder / "mo.log"
        if log.exists() and name in log.read_text(errors="replace"):
            return True
        return any(name in each for each in self.got)

    def _serve(self, opening: ExitStack) -> None:
        applications = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                body = self.rfile.read(length).decode("latin-1")
                applications.got.append(unquote(f"{self.path} {body}"))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - its name is http.server's

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opening.callback(server.server_close)
        opening.callback(server.shutdown)
        self._ftp_folder = self.home / "ftp"
        self._ftp_folder.mkdir()
        authorizer = DummyAuthorizer()
        authorizer.add_user(USERS[ReplyWay.FTP], SECRET, str(self._ftp_folder), perm="elradfmw")
        ftp = opening.enter_context(serving(self._ftp_folder, authorizer=authorizer))
        for way, proxy in self.proxies.items():
            proxy.upstream = server.server_address[1]
            if way is ReplyWay.FTP:
                proxy.upstream = ftp.port
            elif way is ReplyWay.SMPP:
                proxy.upstream = free_port()

    def _load_numbers(self) -> None:
        lines = []
        for way, proxy in self.proxies.items():
            given: dict[str, Any] = {"way": way.value, "timeout_seconds": 1}
            if way is ReplyWay.FTP:
                given["url"] = f"ftp://127.0.0.1:{proxy.port}/mo.log"
            elif way is not ReplyWay.SMPP:
                given["url"] = f"http://127.0.0.1:{proxy.port}/"
            number = {"number": number_of(way), "kind": "vmn", "api_id": "1", "reply_path": way}
            for head, fields in (("[[number]]", number), (f"[reply_path.{way}]", given)):
                lines += [head, *(f"{name} = {json.dumps(each)}" for name, each in fields.items())]
        numbers = numbers_from_toml("\n".join(lines), origin="test", loaded_at=datetime.now(UTC))
        octets = single_object.encode(numbers)
        records = [(topics.NUMBERS, None, octets, at) for at in range(PARTITIONS)]
        asyncio.run(publish(self.broker.bootstrap, records))

    def _write_secrets(self) -> None:
        file = self.home / "reply-secrets.toml"
        tables = [
            f'[{way}]\nuser = "{USERS[way]}"\npassword = "{SECRET}"\n'
            for way in TONGUES
            if way is not ReplyWay.WEBHOOK
        ]
        tables.append(f'[{ReplyWay.WEBHOOK}]\nsecrets = ["{_SIGNED}"]\n')
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as opened:
            opened.write("\n".join(tables))

    def _stay_bound(self) -> None:
        """An application by SMPP: it binds again whenever its connection has ended."""
        while not self._over.is_set():
            port = self.proxies[ReplyWay.SMPP].port
            client = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
            client.set_message_received_handler(self._take_deliver_sm)
            with suppress(Exception):  # whatever it is: it begins anew
                client.connect()
                client.bind_receiver(system_id=USERS[ReplyWay.SMPP], password=SECRET)
                client._socket.settimeout(0.2)
                while not self._over.is_set():
                    with suppress(TimeoutError):
                        client.read_once(auto_send_enquire_link=False)
            with suppress(Exception):
                client.disconnect()
            time.sleep(0.1)

    def _take_deliver_sm(self, pdu: Any) -> int:
        self.got.append(pdu.short_message.decode("latin-1"))
        return int(smpplib.consts.SMPP_ESME_ROK)


def number_of(way: ReplyWay) -> str:
    """Our number whose messages go by this way."""
    return f"4477009001{list(ReplyWay).index(way):02}"


def _tick() -> Clock:
    return Clock(time=datetime.now(UTC), origin="worker")
