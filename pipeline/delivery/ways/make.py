"""Makes the way of a reply path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.delivery.ways.file import FileReplyWay
from pipeline.delivery.ways.ftp import FtpReplyWay
from pipeline.delivery.ways.http import HttpReplyWay
from pipeline.delivery.ways.smpp import SmppReplyWay
from pipeline.records import ReplyWay

if TYPE_CHECKING:
    from pipeline.delivery.secrets_file import Credentials
    from pipeline.delivery.smpp.door import SmppDoor
    from pipeline.delivery.way import ReplyWayOut
    from pipeline.records import ReplyPath


def reply_way_of(
    path: ReplyPath,
    credentials: Credentials,
    *,
    door: SmppDoor | None = None,
    shows: bool = False,
) -> ReplyWayOut:
    """The way of a path; with `shows` its results have the octets of both directions.

    Raises `ValueError` for a path by SMPP without `door`.
    """
    if path.way == ReplyWay.SMPP:
        if door is None:
            raise ValueError("by SMPP the application binds to a process that runs")
        return SmppReplyWay(path, door)
    if path.way == ReplyWay.FILE:
        return FileReplyWay(path)
    if path.way == ReplyWay.FTP:
        return FtpReplyWay(path, credentials)
    return HttpReplyWay(path, credentials, shows=shows)
