"""A group is deleted as soon as its coordinator has loaded, and an error of one group is said."""

from __future__ import annotations

import pytest
from kafka.errors import CoordinatorLoadInProgressError, NonEmptyGroupError

from pipeline.cli.operate import groups


class Admin:
    """Groups as `KafkaAdminClient` lists and deletes them; it raises, or answers, `troubles` first.

    kafka-python 3 raises the error of ListGroups and returns the name of the error of each group
    that DeleteGroups names.
    """

    def __init__(self, *names: str, loading: int = 0, refuses: dict[str, list[str]] | None = None):
        self.names = list(names)
        self.loading = loading
        self.refuses = refuses or {}

    def list_groups(self) -> list[dict[str, str]]:
        if self.loading:
            self.loading -= 1
            raise CoordinatorLoadInProgressError
        return [{"group_id": name} for name in self.names]

    def delete_groups(self, wanted: list[str]) -> dict[str, str]:
        assert wanted, "a request for no group"
        return {name: self._delete(name) for name in wanted}

    def _delete(self, name: str) -> str:
        if self.refuses.get(name):
            return self.refuses[name].pop()
        if name not in self.names:
            return "GroupIdNotFoundError"
        self.names.remove(name)
        return "OK"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(groups, "pause", lambda: None)


def test_groups_are_deleted_when_the_coordinators_have_loaded():
    admin = Admin("a", "b", loading=3)
    groups.delete_groups(admin)
    assert admin.names == []


def test_only_the_named_groups_are_deleted():
    admin = Admin("a", "b", "c")
    groups.delete_groups(admin, among=["a", "c", "d"])
    assert admin.names == ["b"]


@pytest.mark.parametrize(
    "error",
    ["CoordinatorLoadInProgressError", "CoordinatorNotAvailableError", "NotCoordinatorError"],
)
def test_a_group_whose_coordinator_is_not_there_yet_is_deleted_later(error):
    admin = Admin("a", "b", refuses={"b": [error, error]})
    groups.delete_groups(admin)
    assert admin.names == []


def test_a_group_that_has_members_is_an_error_with_its_name():
    admin = Admin("a", "b", refuses={"b": ["NonEmptyGroupError"]})
    with pytest.raises(NonEmptyGroupError, match="the group b is not deleted"):
        groups.delete_groups(admin)


def test_without_a_group_nothing_is_asked_to_be_deleted():
    groups.delete_groups(Admin())
