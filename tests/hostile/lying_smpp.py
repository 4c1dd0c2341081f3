"""The lies of an SMPP gateway, and an honest gateway that delivers a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Pdu
from tests.hostile.lies import NUMBER, SECRET, TEN_MEGABYTES, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.lying_server import Conduct, Line

    Lie = Callable[[Line, Pdu], None]

BIND_RESP = Command.BIND_TRANSCEIVER_RESP


def deliver(text: bytes, sequence: int = 1) -> bytes:
    """A deliver_sm (SMPP 3.4 4.6.1)."""
    addresses = b"\1\1%s\0\1\1447700900999\0" % NUMBER.encode()
    body = b"\0" + addresses + b"\0\0\0\0\0\0\0\0\0" + bytes([len(text)]) + text
    return smpp_pdu.render(Pdu(Command.DELIVER_SM, 0, sequence, body))


def read(line: Line) -> Pdu:
    """The next PDU."""
    head = line.file.read(4)
    found = smpp_pdu.parse(head + line.file.read(int.from_bytes(head, "big") - 4))
    if found is None:
        raise ValueError("no PDU")
    return found


def bound(then: Lie) -> Conduct:
    """Accept the bind, and then do this."""

    def conduct(line: Line) -> None:
        request = read(line)
        line.say(smpp_pdu.render(Pdu(BIND_RESP, 0, request.sequence, b"smsc\0")))
        then(line, request)

    return conduct


def unbound(lie: Lie) -> Conduct:
    """Do this instead of answering the bind."""
    return lambda line: lie(line, read(line))


def honest(text: bytes) -> Conduct:
    """Deliver a message, and answer every enquire_link."""

    def serve(line: Line, _: Pdu) -> None:
        line.say(deliver(text))
        while True:
            pdu = read(line)
            if pdu.command == Command.ENQUIRE_LINK:
                line.say(smpp_pdu.render(smpp_pdu.answer_to(pdu)))

    return bound(serve)


def _said(*pdus: Pdu) -> Lie:
    return lambda line, _: line.say(b"".join(smpp_pdu.render(pdu) for pdu in pdus))


def _octets(octets: bytes, *, pause: float | None = None) -> Lie:
    if pause is None:
        return lambda line, _: line.say(octets)
    return lambda line, _: line.for_ever(octets, pause=pause)


def said_when_bound(octets: bytes) -> Conduct:
    """Accept the bind, send these octets, and hang up."""
    return bound(_octets(octets))


def _answered(status: int, body: bytes) -> Lie:
    return lambda line, request: line.say(
        smpp_pdu.render(Pdu(BIND_RESP, status, request.sequence, body))
    )


def _cut_in_the_middle(line: Line, _: Pdu) -> None:
    for number in range(200):
        line.say(deliver(TEXT.encode(), number + 1))
    line.say(deliver(TEXT.encode())[:30])
    line.reset()


_ECHO = f"{SECRET} {NUMBER} {TEXT}\0".encode()
_HUGE = Pdu(Command.DELIVER_SM, 0, 9, b"x" * (smpp_pdu.LONGEST_PDU - 16))
LIES: dict[str, Conduct] = {
    "bind-echo": unbound(_answered(0x08, _ECHO)),
    "bind-echo-wrong-password": unbound(_answered(0x0E, _ECHO)),
    "bind-echo-as-octets": unbound(_octets(_ECHO)),
    "bind-endless": unbound(_octets(smpp_pdu.render(_HUGE), pause=0.0)),
    "bind-endless-octets": unbound(_octets(b"\0\0\xff\xff" + b"x" * 60_000, pause=0.0)),
    "bind-slow": unbound(_octets(b"\0", pause=0.05)),
    "bind-ends": unbound(lambda line, _: None),
    "bind-resets": unbound(lambda line, _: line.reset()),
    "bind-ten-megabytes": unbound(_octets(b"\0" * TEN_MEGABYTES)),
    "hangs-up": lambda line: None,
    "resets": lambda line: line.reset(),
    "ends": bound(lambda line, _: None),
    "resets-when-bound": bound(lambda line, _: line.reset()),
    "resets-in-a-delivery": bound(_cut_in_the_middle),
    "endless-deliveries": bound(lambda line, _: [line.say(deliver(b"x", n)) for n in range(9000)]),
    "huge-deliveries": bound(
        lambda line, _: [line.say(smpp_pdu.render(_HUGE)) for _ in range(300)]
    ),
    "ten-megabytes": bound(_octets(b"\xff" * TEN_MEGABYTES)),
    "control": bound(_octets(b"\0\x1b[2J\xe2\x80\xae" * 20)),
    "no-such-command": bound(_said(*[Pdu(0x1234, 0, 1, _ECHO)] * 50)),
    "answers-nobody-asked": bound(_said(*[Pdu(0x80000015, 0, n, _ECHO) for n in range(99)])),
    "endless-answers-nobody-asked": bound(
        _octets(smpp_pdu.render(Pdu(0x80000015, 0, 0x7FFFFFF0, _ECHO)) * 100, pause=0.0)
    ),
    "unbinds": bound(_said(Pdu(Command.UNBIND, 0, 5))),
    "slow": bound(_octets(b"\0", pause=0.05)),
}
