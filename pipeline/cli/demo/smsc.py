"""The gateway's SMPP side in the demo: accepts a bind, delivers, and answers requests."""

from __future__ import annotations

import socket
import threading
from queue import Empty, Queue
from typing import TYPE_CHECKING, Final

from pipeline.cli.ask.waiting import pause
from pipeline.cli.terminal.failure import CommandError
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Framer, Pdu, Status

if TYPE_CHECKING:
    from pipeline.wire.smpp.deliver import DeliverSm

BOUND_SECONDS: Final = 60
ANSWER_SECONDS: Final = 10
READ_OCTETS: Final = 65_536
SYSTEM_ID: Final = b"demo\0"
_BINDS: Final = frozenset({Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER})


class Smsc:
    """Listens on loopback for one ESME at a time, and accepts any password."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._esme: socket.socket | None = None
        self._bound = threading.Event()
        self._answers: Queue[Pdu] = Queue()
        self._sequence = 0
        self._writing = threading.Lock()
        threading.Thread(target=self._serve, name="smsc", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def deliver(self, deliver: DeliverSm) -> int:
        """Deliver, again while the receiver answers "try again"; returns the last status."""
        if not self._bound.wait(BOUND_SECONDS):
            raise CommandError(f"the SMPP receiver did not bind within {BOUND_SECONDS} s")
        while (status := self._delivered(deliver)) == Status.TRY_AGAIN:
            pause()
        return status

    def _delivered(self, deliver: DeliverSm) -> int:
        self._sequence += 1
        self._send(Pdu(Command.DELIVER_SM, Status.OK, self._sequence, smpp_deliver.render(deliver)))
        try:
            return self._answers.get(timeout=ANSWER_SECONDS).status
        except Empty:
            raise CommandError(
                f"the SMPP receiver did not answer within {ANSWER_SECONDS} s"
            ) from None

    def _send(self, pdu: Pdu) -> None:
        with self._writing:
            if self._esme is not None:
                self._esme.sendall(smpp_pdu.render(pdu))

    def _serve(self) -> None:
        while True:
            try:
                self._esme, _ = self._listener.accept()
            except OSError:  # closed: the demo is over
                return
            with self._esme:
                self._attend(self._esme)

    def _attend(self, esme: socket.socket) -> None:
        framer = Framer()
        try:
            while octets := esme.recv(READ_OCTETS):
                for each in framer.feed(octets):
                    pdu = smpp_pdu.parse(each)
                    if pdu is not None:
                        self._take(pdu)
        except ConnectionError:
            self._bound.clear()

    def _take(self, pdu: Pdu) -> None:
        if pdu.command == Command.DELIVER_SM_RESP:
            self._answers.put(pdu)
        elif pdu.command in _BINDS:
            self._send(smpp_pdu.answer_to(pdu, body=SYSTEM_ID))
            self._bound.set()
        elif not pdu.is_answer:
            self._send(smpp_pdu.answer_to(pdu))
