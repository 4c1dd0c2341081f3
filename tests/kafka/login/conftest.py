"""One broker with logins for the tests of this folder."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
)

from tests.support.secured_kafka import SecuredKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "twoway-everybody"
TOPIC = "logins"


@pytest.fixture(scope="session")
def secured() -> Iterator[SecuredKafka]:
    """A broker with a topic on which every user may do all."""
    with tempfile.TemporaryDirectory(prefix="twoway-logins-") as folder:
        broker = SecuredKafka(home=Path(folder), partitions=1)
        try:
            broker.start()
            broker.add_users([USER])
            with closing(broker.admin()) as admin:
                admin.create_topics({TOPIC: {"num_partitions": 1, "replication_factor": 1}})
                where = ResourcePattern(ResourceType.TOPIC, TOPIC)
                allow = ACLPermissionType.ALLOW
                admin.create_acls([ACL("User:*", "*", ACLOperation.ALL, allow, where)])
            yield broker
        finally:
            broker.kill()
