"""Status callbacks are published unchanged, under the handset that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.avro.single_object import encode
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import DeadLetter, MoRaw
from tests.ingest.http.mt.test_status import command, state
from tests.ingest.http.support import FakePublisher, running
from tests.wire.status.test_reports import EXAMPLE, ID, requests

if TYPE_CHECKING:
    from ingest.http.process import Ingest

PATH_OF = {f"status-{name}": f"/status/{name}" for name in ("http", "xml", "soap")}


@pytest.mark.parametrize("shape", requests(EXAMPLE))
async def test_a_status_is_taken_as_it_came(shape: str) -> None:
    given = requests(EXAMPLE)[shape]
    path = PATH_OF[given.source]
    async with running() as ingest:
        if given.octets:
            reply = await ingest.post(path, given.octets, content_type=given.content_type)
        else:
            reply = await ingest.get(path.encode() + b"?" + given.query)
    assert reply.status == 200
    [(topic, key, raw)] = ingest.publisher.published
    assert isinstance(raw, MoRaw)
    assert (topic, key) == (MO_RAW, b"279995631564")
    assert (raw.source, raw.query, raw.octets) == (given.source, given.query, given.octets)
    assert raw.content_type == given.content_type


@pytest.mark.parametrize("path", PATH_OF.values())
@pytest.mark.parametrize("query", ["", "?", "?trial=1"])
@pytest.mark.parametrize("way", ["GET", "POST", "HEAD"])
async def test_a_url_that_is_tried_is_answered_200_and_nothing_is_recorded(
    path: str, query: str, way: str
) -> None:
    async with running(publisher=FakePublisher(acknowledges=False)) as ingest:
        reply = await ingest.get(path + query, method=way)
    assert (reply.status, ingest.publisher.published) == (200, [])


def knows(ingest: Ingest) -> None:
    """A command `c` of handset 4477, which the gateway knows as id1234."""
    for offset, record in enumerate(
        [command(), state("submitted", gateway_message_ids=["id1234", ID])]
    ):
        ingest.index.enter(record, encode(record), offset=offset)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("apiMsgId=id1234&status=001", id="dlr-ct-004"),
        pytest.param("api_id=123&apiMsgId=id1234&status=004", id="dlr-ct-007"),
        pytest.param(f"apimsgid={ID}&status=004", id="the id of another part"),
        pytest.param("cliMsgId=c&status=003", id="our own id"),
        pytest.param("cliMsgId=another&apiMsgId=id1234&status=003", id="one of two ids"),
        pytest.param("to=&cliMsgId=c&status=003", id="to is empty"),
    ],
)
async def test_without_to_the_handset_is_that_of_the_command(query: str) -> None:
    async with running(change=knows) as ingest:
        reply = await ingest.get(f"/status/http?{query}")
    assert reply.status == 200
    [(topic, key, raw)] = ingest.publisher.published
    assert (topic, key) == (MO_RAW, b"4477")
    assert isinstance(raw, MoRaw)
    assert raw.query == query.encode()


@pytest.mark.parametrize("query", ["apiMsgId=id9&status=001", "cliMsgId=d&status=001", "status=1"])
async def test_a_status_of_nobody_is_kept_in_the_dead_letter(query: str) -> None:
    async with running(change=knows) as ingest:
        reply = await ingest.get(f"/status/http?{query}")
        labels = {"source": "status-http", "reason": "missing-to"}
        assert ingest.sample("twoway_ingest_dead_letters_total", **labels) == 1
    assert reply.status == 400
    [(topic, _, letter)] = ingest.publisher.published
    assert isinstance(letter, DeadLetter)
    assert (topic, letter.reason, letter.source) == (DEAD_LETTER, "missing-to", "status-http")


async def test_until_all_commands_are_read_a_status_without_to_is_asked_for_again() -> None:
    def reading(ingest: Ingest) -> None:
        ingest.tail.is_caught_up = False

    async with running(change=reading) as ingest:
        reply = await ingest.get("/status/http?apiMsgId=id1234&status=001")
        assert (await ingest.get("/status/http?to=4477&status=001")).status == 200
    assert (reply.status, len(ingest.publisher.published)) == (503, 1)
    assert int(reply.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("path", "query", "reason"),
    [
        ("/status/http", "to=1&status=%zz", "broken-percent-encoding"),
        ("/status/xml", "data=<callback>", "not-xml"),
        ("/status/soap", "data=<!DOCTYPE a><callback/>", "not-xml"),
        ("/status/xml", "to=1&status=004", "not-xml"),
        ("/status/soap", "data=<clickmo><from>1</from><to>2</to></clickmo>", "missing-to"),
    ],
)
async def test_what_cannot_be_read_is_kept_in_the_dead_letter(
    path: str, query: str, reason: str
) -> None:
    async with running() as ingest:
        reply = await ingest.get(f"{path}?{query}")
    assert reply.status == 400
    [letter] = ingest.publisher.of(DEAD_LETTER)
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.stage) == (reason, "ingest")


async def test_without_an_acknowledgement_the_answer_is_503() -> None:
    async with running(publisher=FakePublisher(acknowledges=False)) as ingest:
        assert (await ingest.get("/status/http?to=1&status=004")).status == 503
        assert (await ingest.get("/status/http?to=1&status=%zz")).status == 503


async def test_the_log_holds_no_handset() -> None:
    async with running() as ingest:
        await ingest.get("/status/http?to=447700900123&status=004")
        assert "447700900123" not in ingest.logged() + ingest.ingest.metrics.exposition().decode()
