"""One FTP connection: pyftpdlib's handler, and the faults that an uploaded file meets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.gateway.doors.line_messages import first_handset
from pipeline.gateway.doors.lying import CUT, HUGE, NOT_TAKEN, SLOW_SECONDS
from pipeline.gateway.faults.kinds import Group

if TYPE_CHECKING:
    from pipeline.gateway.faults.rules import Rule
    from pipeline.gateway.ground import Ground

_BUSY: Final = "450 Try again later."
_DONE: Final = ("226", "250")  # a transfer, a renaming (RFC 959 4.2)
#: A browser that a web page sends here begins with one of these; its next lines would be commands.
_HTTP: Final = frozenset({"CONNECT", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def is_whole(file: Path, folder: Path) -> bool:
    """Whether a file is complete: in the folder itself, and neither `.part` nor `.log`."""
    return file.parent == folder and file.suffix not in (".part", ".log")


def handler_class(gateway: Ground, folder: Path) -> Any:
    """The class of the connections; made here because only the extra `local` has pyftpdlib."""
    from pyftpdlib.handlers import TLS_FTPHandler

    class Handler(TLS_FTPHandler):  # type: ignore[misc]  # it has no types
        """Plays a fault at the command that completes a file: STOR, or RNTO after it."""

        use_sendfile = False
        arriving: Path | None = None
        rule: Rule | None = None

        def ftp_STOR(self, file: str, mode: str = "w") -> Any:  # noqa: N802 - pyftpdlib's
            self.arriving = Path(file) if is_whole(Path(file), folder) else None
            return super().ftp_STOR(file, mode)

        def ftp_RNTO(self, path: str) -> Any:  # noqa: N802 - pyftpdlib's
            source: str | None = getattr(self, "_rnfr", None)
            if source and is_whole(Path(path), folder):
                self.rule = self._met(Path(source))
                if self.rule is not None and self.rule.name in NOT_TAKEN:
                    self._rnfr = None
                    return self._refuse()
            return super().ftp_RNTO(path)

        def respond(self, resp: str, **more: Any) -> None:
            if not resp.startswith(_DONE):
                super().respond(resp, **more)
                return
            file, self.arriving = self.arriving, None
            if file is not None:
                self.rule = self._met(file)
                if self.rule is not None and self.rule.name in NOT_TAKEN:
                    file.unlink(missing_ok=True)
                    self._refuse()
                    return
            rule, self.rule = self.rule, None
            if rule is None:
                super().respond(resp, **more)
            else:
                self._lie(rule, f"{resp}\r\n")

        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            if cmd.upper() in _HTTP:
                self.close()
            else:
                super().pre_process_command(line, cmd, arg)

        def _met(self, file: Path) -> Rule | None:
            handset = first_handset(file.read_bytes().decode("latin-1"))
            return gateway.meet(Group.ANSWER, "ftp", handset) if handset else None

        def _refuse(self) -> None:
            rule, self.rule = self.rule, None
            if rule is not None and rule.name == "busy":
                super().respond(_BUSY)
            else:
                self._end()

        def _lie(self, rule: Rule, answer: str) -> None:
            match rule.name:
                case "cut-answer":
                    self.push(answer[: CUT if rule.octets is None else rule.octets])
                    self.close_when_done()
                case "huge":
                    length = HUGE if rule.octets is None else rule.octets
                    super().respond(f"{answer[:4]}{'x' * length}")
                case "slow":
                    self._trickle(answer, SLOW_SECONDS if rule.seconds is None else rule.seconds)
                case "hang":
                    pause = gateway.settings.hang_seconds
                    self._end(pause if rule.seconds is None else rule.seconds)
                case _:
                    self._end()

        def _trickle(self, rest: str, pause: float) -> None:
            if self.connected and rest:
                self.push(rest[:1])
                self.ioloop.call_later(pause, self._trickle, rest[1:], pause)

        def _end(self, seconds: float = 0.0) -> None:
            """Close the connection after `seconds`, when the present call has returned."""
            self.ioloop.call_later(seconds, self.close)

    return Handler
