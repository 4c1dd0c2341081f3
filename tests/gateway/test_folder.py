"""The folder for files by FTP: looked at once a minute of the home's clock, each file once."""

from datetime import timedelta

from pipeline.gateway.world import EventKind
from pipeline.sender.apis.api import WayName
from tests.gateway.ways import always, of_kind, submission, until, way_to


async def test_a_file_is_taken_once_a_minute_of_the_homes_clock(play):
    async with play(folder_seconds=60.0) as played, way_to(played.gateway, WayName.FTP) as way:
        gateway = played.gateway
        await way.submit(submission(), always)
        assert of_kind(gateway, EventKind.SUBMITTED) == []
        gateway.clock.set_offset(timedelta(minutes=1))
        await until(lambda: of_kind(gateway, EventKind.SUBMITTED))


async def test_a_file_is_not_taken_again_after_a_restart(play):
    async with play() as played, way_to(played.gateway, WayName.FTP) as way:
        await way.submit(submission(), always)
        await until(lambda: of_kind(played.gateway, EventKind.SUBMITTED))
    async with play() as again, way_to(again.gateway, WayName.FTP) as way:
        other = submission("And another.", command_id="f" * 32)
        await way.submit(other, always)
        await until(lambda: of_kind(again.gateway, EventKind.SUBMITTED))
        found = [event.client_id for event in of_kind(again.gateway, EventKind.SUBMITTED)]
        assert found == [other.command.command_id]
