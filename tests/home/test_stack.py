"""What `up` writes of a stack is read again, also where the stack uses brokers of others."""

from __future__ import annotations

import json
import ssl
from copy import deepcopy

from pipeline.home.brokers import Brokers, KafkaLogin
from pipeline.home.stack import Stack

SERVERS = "127.0.0.1:9092,127.0.0.1:9093"


def test_a_stack_on_brokers_of_others_is_written_with_their_addresses_alone():
    login = KafkaLogin(protocol="SSL", tls=ssl.create_default_context())
    stack = Stack(
        kafka=Brokers(SERVERS, login), ingest="http://i", report="http://r", pids={"a": 1}
    )
    assert json.loads(stack.as_json()) == {
        "kafka": SERVERS,
        "ingest": "http://i",
        "report": "http://r",
        "pids": {"a": 1},
    }


def test_a_copy_of_brokers_keeps_the_login():
    login = KafkaLogin(protocol="SSL", tls=ssl.create_default_context())
    assert deepcopy(Brokers(SERVERS, login)).login is login
