"""What each process may do on a broker: complete, and nothing beside it."""

from __future__ import annotations

import pytest

from deploy.kafka_acls import main, principals_from
from pipeline.cli.dead_letter.retry import TRANSACTION
from pipeline.kafka import readers, topics
from pipeline.kafka.acls import _acl_of, commands_of
from pipeline.kafka.principals import (
    GROUP_KIND,
    OURS,
    PERMISSIONS,
    READ,
    RETRY_TRANSACTION,
    TOPIC_KIND,
    TRANSACTION_KIND,
    WRITE,
    Permission,
    principal_of,
)
from pipeline.settings import SettingsError
from pipeline.store.report.pages import decisions

GROUPS_OF = {
    "worker": (readers.CONVERSATION,),
    "store": (readers.STORE,),
    "sender": (readers.SENDER, readers.NOTICE_MAIL),
    "deliver": (readers.DELIVERY,),
    "accounts": (readers.ACCOUNTS,),
}
NO_WRITERS = {"topics", "reader"}


def test_every_process_that_writes_or_reads_has_a_principal() -> None:
    assert set(PERMISSIONS) - NO_WRITERS == set(readers.WRITTEN_BY)
    assert {group for each in GROUPS_OF.values() for group in each} == set(readers.READ_BY)


@pytest.mark.parametrize("process", PERMISSIONS)
def test_a_process_writes_just_its_topics(process: str) -> None:
    written = {each.name for each in PERMISSIONS[process] if each.operation == WRITE}
    written -= {each.name for each in PERMISSIONS[process] if each.kind == TRANSACTION_KIND}
    assert written == set(readers.WRITTEN_BY.get(process, ()))


@pytest.mark.parametrize(("process", "groups"), GROUPS_OF.items())
def test_a_member_of_a_group_reads_its_topics(process: str, groups: tuple[str, ...]) -> None:
    may = PERMISSIONS[process]
    read = {each.name for each in may if (each.kind, each.operation) == (TOPIC_KIND, READ)}
    expected = {topic for group in groups for topic in readers.READ_BY[group]}
    assert read - readers.CHANGELOGS == expected
    assert [each.name for each in may if each.kind == GROUP_KIND] == [*groups]


def test_a_program_of_others_writes_nothing_and_is_kept_out_of_our_groups() -> None:
    may = PERMISSIONS["reader"]
    assert {each.operation for each in may if not each.is_denied} == {READ}
    assert [each for each in may if each.is_denied] == [
        Permission(GROUP_KIND, OURS, "All", is_prefix=True, is_denied=True)
    ]
    assert all(group.startswith(OURS) for group in readers.READ_BY)
    read = {each.name for each in may if each.kind == TOPIC_KIND}
    assert not read & readers.CHANGELOGS
    assert topics.FORGET_REQUEST not in read


def test_both_ways_to_retry_a_dead_letter_share_a_transaction() -> None:
    assert TRANSACTION == decisions.RETRY_TRANSACTION == RETRY_TRANSACTION


def test_the_commands_are_those_of_kafka_s_tool() -> None:
    lines = list(commands_of({"reader": "app"}, bootstrap="k:9092", command_config="admin.conf"))
    start = "kafka-acls.sh --bootstrap-server k:9092 --command-config admin.conf --add"
    assert lines[0] == "# reader"
    assert lines[1].startswith(
        f"{start} --allow-principal User:app --operation Read --topic mo-raw"
    )
    assert lines[2:] == [
        f"{start} --allow-principal User:app --operation Read --group '*'",
        f"{start} --deny-principal User:app --operation All --group twoway-"
        " --resource-pattern-type prefixed",
    ]


def test_every_permission_is_one_that_kafka_has() -> None:
    for process, permissions in PERMISSIONS.items():
        for permission in permissions:
            acl = _acl_of(permission, principal_of(process))
            named = acl.operation.name.replace("_", "").lower()
            assert named == permission.operation.lower()


@pytest.mark.parametrize("given", ["worker", "worker=", "nobody=x"])
def test_a_principal_that_names_no_process_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="PROCESS=USER"):
        principals_from([given])


def test_the_script_prints_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TWOWAY_KAFKA", "k:9092")
    main(["--process", "worker", "--principal", "worker=CN=w1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# worker"
    assert all("--allow-principal User:CN=w1" in line for line in lines[1:])
