"""The consumer groups, which the command line names without importing Faust."""

from __future__ import annotations

from pipeline.agents.conversation import SOURCES
from pipeline.agents.store import STORE_GROUP
from pipeline.commands import groups
from pipeline.worker import CONVERSATION_GROUP


def test_the_command_line_asks_for_the_groups_the_agents_are() -> None:
    assert (groups.CONVERSATION, groups.STORE) == (CONVERSATION_GROUP, STORE_GROUP)


def test_the_command_line_counts_the_lag_of_what_the_agent_reads() -> None:
    assert groups.READ_BY[groups.CONVERSATION] == SOURCES
