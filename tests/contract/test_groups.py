"""The consumer groups, which the command line names without importing Faust."""

from __future__ import annotations

from pipeline.cli.operate import groups
from pipeline.conversation.agent import SOURCES
from pipeline.conversation.process import CONVERSATION_GROUP
from pipeline.store.consumer import STORE_GROUP


def test_the_command_line_asks_for_the_groups_the_agents_are() -> None:
    assert (groups.CONVERSATION_GROUP, groups.STORE) == (CONVERSATION_GROUP, STORE_GROUP)


def test_the_command_line_counts_the_lag_of_what_the_agent_reads() -> None:
    assert groups.READ_BY[groups.CONVERSATION_GROUP] == SOURCES
