"""Whatever octets answer a command by HTTP: one outcome, one request, and the next command goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from tests.hostile.scale import SCALE, dice_for
from tests.sender.ways.counterpart import (
    MESSAGE_ID,
    WAYS,
    Counterpart,
    api_of,
    counterpart,
    line_as,
    response,
    way_to,
)
from tests.support.submissions import submission_of

if TYPE_CHECKING:
    import random

MUTATIONS = 60 * SCALE
PIECES = [
    *(b"\r\n", b"\r\n\r\n", b"\x00", b"\xff" * 9, b"<html>", b"ERR: ", b"ID: ", b"&", b"]]>", b"<"),
    *(
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\n",
    ),
    *(b"ffffffffffffffff\r\n", b"<!DOCTYPE a [<!ENTITY b 'c'>]>"),
    b"Content-Encoding: br\r\n",
]


def always() -> bool:
    return True


def mutated(octets: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 3)):
        at, until = sorted(dice.randrange(len(octets) + 1) for _ in range(2))
        match dice.randrange(4):
            case 0:
                octets = octets[:at]
            case 1:
                octets = octets[:at] + octets[until:]
            case 2:
                octets = octets[:at] + dice.choice(PIECES) + octets[at:]
            case _:
                octets = octets[:until] + octets[at:]
    return octets


@pytest.mark.parametrize("name", list(WAYS))
async def test_a_mutated_answer_is_taken_only_with_an_id_in_it(name):
    dice = dice_for(f"answers by {name}")
    good = {
        "taken": response(line_as(name, "sendmsg", f"ID: {MESSAGE_ID}")),
        "refused": response(line_as(name, "sendmsg", "ERR: 105, Invalid Destination Address")),
    }
    async with counterpart(name, closes=True) as peer, way_to(peer) as way:
        for number in range(MUTATIONS):
            of = dice.choice(sorted(good))
            octets = mutated(good[of], dice)
            peer.answers["sendmsg"] = lambda octets=octets: octets
            before = peer.count("sendmsg")
            (answer,) = await way.submit(submission_of(), always)
            assert peer.count("sendmsg") == before + 1, number
            assert answer.outcome in (Outcome.SUBMITTED, Outcome.FAILED, Outcome.UNKNOWN)
            assert not answer.is_temporary or answer.code, (octets, answer)
            if answer.outcome == Outcome.SUBMITTED:
                assert of == "taken", octets
            peer.answers["sendmsg"] = lambda: good["taken"]
            (answer,) = await way.submit(submission_of(), always)
            assert answer.outcome == Outcome.SUBMITTED


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="100 Continue without end"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", id="headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"a", id="one header"),
        pytest.param(b"", b"\r\n", id="empty lines"),
    ],
)
async def test_an_answer_without_an_end_ends_in_time(begin, piece):
    ended = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while not writer.is_closing():
            writer.write(piece)
            await asyncio.sleep(0.001)
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    way = WAYS[WayName.HTTP](api_of(Counterpart(port=port), timeout_seconds=0.5))
    way._calls.login._session, way._calls.login._clock = "a-session", lambda: 0.0
    (answer,) = await asyncio.wait_for(way.submit(submission_of(), always), 5)
    assert answer.outcome == Outcome.UNKNOWN
    assert answer.words
    await way.close()
    await ended.wait()
    server.close()
    await server.wait_closed()
