"""The agent `delivery` without Kafka: schedule, order, circuit, forgetting, restarts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from pipeline.avro import single_object
from pipeline.identity import derived_id
from pipeline.kafka import topics
from pipeline.records import DeliveryRequest, Erasure, ForgetRequest, Reason
from pipeline.stages.delivering.path import FAILURES, PROBE_EVERY
from tests.support.delivering import (
    CRM,
    HANDSET,
    NOON,
    DeliveryPartition,
    message,
    result_of,
    toml_of,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def partition() -> DeliveryPartition:
    return DeliveryPartition()


def test_a_message_is_ordered_at_once_and_over_once_it_is_delivered(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    order = partition.next_order()
    assert (order.attempt, order.path.name, order.subject_id) == (1, "crm", "m1")
    assert single_object.decode(order.octets) == message()
    partition.result(order, delivered=True)
    assert partition.rows("deliveries") == partition.rows("orders") == 0
    assert [each.state for each in partition.written(topics.MO_DELIVERY)] == ["ordered"]


def test_a_dead_endpoint_is_tried_at_0_2_6_14_30_62_126_and_254_minutes_then_given_up(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    attempts = []
    for minute in range(400):
        while partition.handed_over:
            order = partition.next_order()
            attempts.append((order.attempt, minute))
            partition.result(order)
        partition.tick(MINUTE)
    assert attempts == list(enumerate((0, 2, 6, 14, 30, 62, 126, 254), start=1))
    assert partition.rows("deliveries") == 0
    (letter,) = partition.written(topics.DEAD_LETTER)
    assert letter.reason == Reason.DELIVERY_GIVEN_UP
    assert single_object.decode(letter.octets) == message()
    assert letter.words == ("8 attempts by crm failed, the last with: 500 Internal Server Error")
    states = [each.state for each in partition.written(topics.MO_DELIVERY)]
    assert states == ["ordered", "waiting"] * 7 + ["ordered", "given-up"]


def test_a_number_without_a_path_is_not_handed_on() -> None:
    partition = DeliveryPartition(toml_of(CRM, reply_path=""))
    partition.receive()
    assert not partition.handed_over


def test_the_window_bounds_what_is_under_way_and_the_rest_waits_in_order() -> None:
    partition = DeliveryPartition(toml_of(CRM + "window = 2\n"))
    for at in range(5):
        partition.receive(f"m{at}", f"44790000000{at}")
    assert [order.subject_id for order in partition.handed_over] == ["m0", "m1"]
    assert partition.rows("waiting") == 3
    seen = []
    while partition.handed_over:
        order = partition.next_order()
        seen.append(order.subject_id)
        partition.result(order, delivered=True)
    assert seen == [f"m{at}" for at in range(5)]
    assert partition.rows("waiting") == 0


def test_the_metric_says_since_when_the_first_of_those_that_wait_waits(
    partition: DeliveryPartition,
) -> None:
    def shown() -> float | None:
        partition.standings.show({0: partition.state.tables})
        return REGISTRY.get_sample_value("twoway_deliver_oldest_seconds", {"path": "crm"})

    for at in range(FAILURES):
        partition.receive(f"f{at}", f"4479000001{at:02}")
        partition.result(partition.next_order())
    partition.tick(MINUTE)
    partition.receive("m0", "447900000200")  # the circuit is open: this one tries
    assert shown() == 0.0
    partition.receive("m1", "447900000201")
    oldest = partition.now
    partition.tick(PROBE_EVERY / 2)
    partition.receive("m2", "447900000202")
    assert shown() == oldest.timestamp()
    partition.standings.show({})
    assert REGISTRY.get_sample_value("twoway_deliver_oldest_seconds", {"path": "crm"}) == 0.0


def test_an_open_circuit_lets_first_tries_wait_and_burns_no_attempt() -> None:
    partition = DeliveryPartition(toml_of(CRM + "window = 1000\n"))
    for at in range(FAILURES):
        partition.receive(f"f{at}", f"4479000001{at:02}")
        partition.result(partition.next_order())
    for at in range(100):
        partition.receive(f"m{at}", f"4479000002{at:02}")
    assert not partition.handed_over
    for _ in range(3):
        partition.tick(PROBE_EVERY)
        assert len(partition.handed_over) == 1
        partition.result(partition.next_order())
    partition.tick(PROBE_EVERY)
    probe = partition.next_order()
    assert probe.subject_id == "m3"
    partition.result(probe, delivered=True)
    rest = [order.subject_id for order in partition.handed_over]
    assert rest == [f"m{at}" for at in range(4, 100)]
    assert {order.attempt for order in partition.handed_over} == {1}


def test_in_order_a_handset_waits_until_its_message_before_is_over() -> None:
    partition = DeliveryPartition(toml_of(CRM + "ordered = true\n"))
    for at in range(3):
        partition.receive(f"m{at}")
    partition.receive("other", "447900000009")
    assert [order.subject_id for order in partition.handed_over] == ["m0", "other"]
    first, other = partition.next_order(), partition.next_order()
    partition.result(other, delivered=True)
    partition.result(first)
    assert not partition.handed_over
    partition.tick(2 * MINUTE)
    partition.result(partition.next_order(), delivered=True)
    assert [order.subject_id for order in partition.handed_over] == ["m1"]
    partition.result(partition.next_order(), delivered=True)
    partition.result(partition.next_order(), delivered=True)
    assert partition.rows("behind") == 0


def test_what_is_under_way_is_handed_over_again_at_the_first_tick_after_a_restart(
    partition: DeliveryPartition,
) -> None:
    partition.receive("m1")
    partition.receive("m2", "447900000002")
    done, _ = partition.handed_over
    partition.restart()
    partition.result(done, delivered=True)  # it had been written before the kill
    assert not partition.handed_over
    partition.tick()
    assert [(o.subject_id, o.attempt) for o in partition.handed_over] == [("m2", 1)]
    partition.tick()
    assert len(partition.handed_over) == 1


def test_ticks_of_before_a_restart_hand_nothing_over_as_results_may_be_behind_them(
    partition: DeliveryPartition,
) -> None:
    partition.receive("m1")
    order = partition.next_order()
    restarted_at = partition.now + 10 * MINUTE
    before, partition.now = partition.now, restarted_at
    partition.restart()
    partition.now = before
    partition.tick()
    assert not partition.handed_over
    partition.receive("m2", "447900000002")
    ordered_since = partition.next_order()
    partition.now = restarted_at
    partition.result(order, delivered=True)
    partition.tick()
    assert ordered_since.subject_id == "m2"
    assert not partition.handed_over, "m2 was handed over in this life"


def test_an_order_is_handed_over_only_once_it_is_committed(partition: DeliveryPartition) -> None:
    partition.take(topics.MO_MESSAGE, message(), commits=False)
    assert not partition.handed_over
    assert partition.rows("deliveries") == 0


def test_a_late_word_that_it_was_delivered_ends_a_delivery_that_waits_to_be_tried_again(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    order = partition.next_order()
    partition.result(order)
    partition.result(order, delivered=True)
    assert partition.rows("deliveries") == 0
    partition.tick(10 * MINUTE)
    assert not partition.handed_over


def test_a_late_word_that_it_failed_changes_nothing(partition: DeliveryPartition) -> None:
    partition.receive()
    order = partition.next_order()
    partition.result(order)
    partition.tick(2 * MINUTE)
    partition.result(order)
    assert [each.attempt for each in partition.handed_over] == [2]


def test_a_path_that_is_gone_lets_its_messages_wait_and_goes_on_when_it_is_back(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    partition.result(partition.next_order())
    partition.load(toml_of("", reply_path=""))
    partition.tick(5 * MINUTE)
    assert not partition.handed_over
    partition.load(toml_of(CRM))
    assert [each.attempt for each in partition.handed_over] == [2]


def test_attempts_under_way_of_a_path_that_was_gone_at_a_restart_are_handed_over_when_it_is_back(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    partition.load(toml_of("", reply_path=""))
    partition.restart()
    partition.tick()
    assert not partition.handed_over
    partition.load(toml_of(CRM))
    partition.tick()
    assert [each.attempt for each in partition.handed_over] == [1]


def forget(
    partition: DeliveryPartition, handset: str = HANDSET, *, is_carried_out: bool = True
) -> None:
    order = ForgetRequest(
        request_id="r", handset=f"+{handset}", actor="ops", reason="letter", requested_at=NOON
    )
    partition.take(topics.FORGET_REQUEST, order)
    if is_carried_out:
        erasure = Erasure(
            erasure_id="e",
            suppression="00",
            key_id="00",
            request_id="r",
            order_offset=0,
            at=NOON,
            actor="ops",
            reason="letter",
            rows=[],
            stops=[],
        )
        partition.take(topics.ERASURE, erasure)


def test_nothing_is_kept_of_a_forgotten_handset_and_the_others_go_on() -> None:
    partition = DeliveryPartition(toml_of(CRM + "window = 1\nordered = true\n"))
    partition.receive("m1")
    partition.receive("m2")
    partition.receive("n1", "447900000002")
    partition.receive("o1")
    running = partition.next_order()
    forget(partition)
    assert [order.subject_id for order in partition.handed_over] == ["n1"]
    partition.result(running, delivered=True)
    partition.result(partition.next_order(), delivered=True)
    for name, count in partition.state.sizes().items():
        assert count == (1 if name in ("directory", "paths") else 0), name


def test_an_order_to_forget_that_the_worker_refuses_takes_nothing_away(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    forget(partition, is_carried_out=False)
    assert partition.rows("deliveries") == 1


def request(action: str, **fields: object) -> DeliveryRequest:
    given: dict[str, object] = {
        "request_id": "q",
        "action": action,
        "delivery_id": derived_id("delivery", "crm", "message", "m1"),
        "path": "crm",
        "handset": HANDSET,
        "topic": "",
        "octets": b"",
        "actor": "ops",
        "requested_at": NOON,
    }
    return DeliveryRequest(**given | fields)  # type: ignore[arg-type]


def test_an_open_delivery_is_tried_at_once_when_an_operator_asks(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    partition.result(partition.next_order())
    partition.take(topics.DELIVERY_REQUEST, request("retry"))
    assert [each.attempt for each in partition.handed_over] == [2]
    partition.take(topics.DELIVERY_REQUEST, request("retry"))
    assert len(partition.handed_over) == 1


def test_a_record_is_entered_anew_when_an_operator_asks(partition: DeliveryPartition) -> None:
    octets = single_object.encode(message())
    partition.take(
        topics.DELIVERY_REQUEST, request("replay", path="", octets=octets, topic="mo-message")
    )
    (order,) = partition.handed_over
    assert (order.attempt, order.subject_id) == (1, "m1")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="of a delivery that is not open"),
        pytest.param({"octets": b"nonsense"}, id="with octets that are no record"),
        pytest.param(
            {"octets": single_object.encode(message(handset="447900000002"))},
            id="with a record of another handset",
        ),
        pytest.param(
            {"octets": single_object.encode(message()), "path": "other"}, id="of an unknown path"
        ),
    ],
)
def test_a_request_that_cannot_be_is_a_dead_letter(
    partition: DeliveryPartition, fields: dict[str, object]
) -> None:
    partition.take(topics.DELIVERY_REQUEST, request("retry", **fields))
    (letter,) = partition.written(topics.DEAD_LETTER)
    assert letter.reason == Reason.WRONG_ORDER
    assert not partition.handed_over


def test_where_nobody_is_bound_no_attempt_is_burnt_and_the_order_stays() -> None:
    partition = DeliveryPartition(toml_of(CRM + "window = 3\n"))
    for at in range(5):
        partition.receive(f"m{at}")
    under_way = [partition.next_order() for _ in range(3)]
    for order in under_way:
        partition.result(order, outcome="waiting")
    assert not partition.handed_over
    assert partition.rows("orders") == 0
    for _ in range(10):
        partition.tick(PROBE_EVERY)
        probe = partition.next_order()
        assert (probe.subject_id, probe.attempt) == ("m0", 1)
        partition.result(probe, outcome="waiting")
    partition.tick(PROBE_EVERY)
    seen = []
    while partition.handed_over:
        order = partition.next_order()
        seen.append((order.subject_id, order.attempt))
        partition.result(order, delivered=True)
    assert seen == [(f"m{at}", 1) for at in range(5)]
    assert partition.rows("deliveries") == partition.rows("waiting") == 0


def test_a_retry_that_finds_nobody_bound_waits_and_is_not_counted() -> None:
    partition = DeliveryPartition()
    partition.receive()
    partition.result(partition.next_order())
    partition.tick(2 * MINUTE)
    retry = partition.next_order()
    assert (retry.attempt, retry.is_first_try) == (2, False)
    partition.result(retry, outcome="waiting")
    partition.tick(PROBE_EVERY)
    again = partition.next_order()
    assert (again.attempt, again.is_first_try) == (2, False)


def test_retry_after_of_a_throttling_application_holds_its_path(
    partition: DeliveryPartition,
) -> None:
    partition.receive()
    order = partition.next_order()
    partition.take(
        topics.MO_DELIVERY_RESULT,
        result_of(order, status="503", retry_after_seconds=600, is_throttled=True),
    )
    partition.receive("m2", "447900000002")
    partition.tick(5 * MINUTE)
    assert not partition.handed_over
    partition.tick(5 * MINUTE)
    assert sorted(each.subject_id for each in partition.handed_over) == ["m1", "m2"]
