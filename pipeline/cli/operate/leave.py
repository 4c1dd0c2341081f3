"""`leave`: removes a worker from its group, so that others get its partitions at once."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

Name = Annotated[str, typer.Argument(metavar="NAME", help="The worker's setting `instance`.")]


def leave(name: Name, home: Home = None) -> None:
    """Remove a stopped worker from its group.

    So other workers get its partitions at once. Without this command a worker with a name keeps its
    partitions for ten seconds after it has stopped, in case it restarts. A worker that still runs
    joins the group again by itself.
    """
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import open_admin
    from pipeline.home.stack import bootstrap_of
    from pipeline.kafka.readers import CONVERSATION

    with open_admin(bootstrap_of(settings)) as admin:
        left = remove_member(admin, group=CONVERSATION, name=name)
    if not left:
        raise CommandError(f"no worker has the name {name}")
    say(f"{name} has left; other workers get its partitions")


def remove_member(admin: "KafkaAdminClient", *, group: str, name: str) -> bool:
    """Remove the static member `name` from a group; False if the group has no such member."""
    from kafka.admin import MemberToRemove
    from kafka.errors import NoError, UnknownMemberIdError

    answers: dict[str, Any] = admin.remove_group_members(
        group, [MemberToRemove(group_instance_id=name)]
    )
    (error,) = answers.values()
    if error is UnknownMemberIdError:
        return False
    if error is not NoError:
        raise error
    return True
