"""Keeps octets of messages, numbers and secrets out of the log of every process.

Each log record is cleaned when it is made, so it does not matter which library logs and which
handler writes. The quoted part of a foreign exception is left out, as in `KeyError('the text')`.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from pipeline.process.log_format import format_handlers
from pipeline.process.log_ids import LoggedId
from pipeline.process.peer_words import cleaned, keep_secret, masked, peer_words
from pipeline.process.secret_settings import secrets_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from pipeline.settings import Settings

log = logging.getLogger("twoway.process")

#: Characters of a message, without the traceback that may follow.
LONGEST_LINE: Final = 4_000
LONGEST_WORDS: Final = 1_000  # characters of an exception
LINES: Final = 200
FRAMES: Final = 30
CHAINED: Final = 5
#: The most lines of one place in the code within `BRAKE_SECONDS`; more lines are only counted.
BRAKE_LINES: Final = 50
BRAKE_SECONDS: Final = 10.0
OURS: Final = frozenset({"pipeline", "ingest", "deploy", "twoway", "__main__"})
_PLAIN: Final = (int, float, bool, type(None), date, Enum, LoggedId)
_QUOTES: Final = "'\""


class GuardedRecord(logging.LogRecord):
    """A log record without secrets, numbers and octets of messages."""

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        sinfo: str | None = None,
        **extra: Any,
    ) -> None:
        is_ours = name.partition(".")[0] in OURS
        words = _message(msg, args, is_ours=is_ours)
        super().__init__(name, level, pathname, lineno, words, (), None, func, sinfo, **extra)
        if exc_info and exc_info[1] is not None:
            self.exc_text = traceback_in_words(exc_info[1])


def guard_logs(settings: Settings) -> None:
    """Guard the log of this process, also after uncaught exceptions; may be called again."""
    keep_secret(secrets_of(settings))
    logging.setLogRecordFactory(GuardedRecord)
    sys.excepthook = _log_the_end
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


def log_to_stderr(settings: Settings) -> None:
    """Log to stderr at the level of the setting log_level, guarded and braked."""
    guard_logs(settings)
    level = logging.getLevelName(settings.log_level.upper())
    # aiokafka logs every attempt to connect; the publisher logs once that Kafka is down.
    logging.getLogger("aiokafka").setLevel(logging.DEBUG if level <= logging.DEBUG else "CRITICAL")
    logging.basicConfig(stream=sys.stderr, level=level)
    format_handlers(settings)
    brake_handlers()


def brake_handlers() -> None:
    """Add a `Brake` to the existing handlers."""
    brake = Brake()
    for each in logging.getLogger().handlers:
        if not any(isinstance(it, Brake) for it in each.filters):
            each.addFilter(brake)


class Brake(logging.Filter):
    """Passes a limited number of lines of one place in ten seconds, and counts the others."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place = record.pathname, record.lineno
        now = time.monotonic()
        since, count = self._places.get(place, (now, 0))
        if now - since > BRAKE_SECONDS:
            if count > BRAKE_LINES:
                record.msg = f"{record.msg} (and {count - BRAKE_LINES} lines like it left out)"
            since, count = now, 0
        self._places[place] = since, count + 1
        return count < BRAKE_LINES


def exception_in_words(error: BaseException) -> str:
    """Kind and words of an exception; without the quoted part if it is not ours."""
    words = words_for_log(error)
    return f"{type(error).__qualname__}: {words}" if words else type(error).__qualname__


def words_for_log(error: BaseException) -> str:
    """What it says; of an exception that is not ours without what it quotes: it may be a row."""
    words = str(error)[:LONGEST_LINE]
    if type(error).__module__.partition(".")[0] not in OURS and not isinstance(error, OSError):
        words = without_quoted(words)
    return peer_words(words, limit=LONGEST_WORDS)


def without_quoted(words: str) -> str:
    """The words, in each line without the part from the first to the last quotation mark."""
    return "\n".join(_line_without_quoted(line) for line in words.split("\n", LINES)[:LINES])


def _line_without_quoted(line: str) -> str:
    marks = [at for mark in _QUOTES if (at := line.find(mark)) >= 0]
    if not marks:
        return line
    begin, end = min(marks), max(line.rfind(mark) for mark in _QUOTES)
    return f"{line[:begin]}'…'{line[end + 1 :]}" if end > begin else f"{line[:begin]}'…"


def traceback_in_words(error: BaseException) -> str:
    """The traceback and its causes as Python shows them, cleaned."""
    parts: list[str] = []
    at: BaseException | None = error
    while at is not None and len(parts) < CHAINED:
        frames = traceback.StackSummary.extract(
            traceback.walk_tb(at.__traceback__), limit=-FRAMES, capture_locals=False
        )
        parts.append("".join(frames.format()) + exception_in_words(at))
        if isinstance(at, BaseExceptionGroup):
            parts += [traceback_in_words(each) for each in at.exceptions[:CHAINED]]
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return "\n\nwhich was caused by:\n\n".join(parts)


def log_loop_failure(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """Log a failure of the event loop, without the objects that asyncio would print."""
    log.error("the event loop: %s", context.get("message"), exc_info=context.get("exception"))


def _message(msg: object, args: Any, *, is_ours: bool) -> str:
    """The whole message. A line end in it does not start a new line of the log."""
    if "%(" in str(msg) and args and isinstance(args[0], dict):
        args = args[0]
    try:
        if not args:
            words = exception_in_words(msg) if isinstance(msg, BaseException) else str(msg)
        elif isinstance(args, dict):
            words = str(msg) % {name: _fit(each) for name, each in args.items()}
        else:
            words = str(msg) % tuple(_fit(each) for each in args)
    except (TypeError, ValueError, KeyError):
        words = f"a log line that cannot be formatted: {msg!r}"
    words = words[:LONGEST_LINE] if is_ours else without_quoted(words[:LONGEST_LINE])
    is_cut = len(words) == LONGEST_LINE
    if args:  # numbers in the arguments are counts and offsets of ours
        return "\n    ".join(cleaned(line) for line in words.split("\n"))
    return "\n    ".join(masked(cleaned(line), is_cut=is_cut) for line in words.split("\n"))


class _Shown:
    """A cleaned value of a log line, the same for %s and %r."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __str__(self) -> str:
        return self._words

    __repr__ = __str__


def _fit(value: Any) -> Any:
    """A value for a log line: numbers and times stay, octets are counted, other words masked."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return _Shown(f"({len(value)} octets)")
    if isinstance(value, BaseException):
        return _Shown(words_for_log(value))
    if isinstance(value, str | PurePath):
        return _Shown("\n".join(masked(line) for line in str(value)[:LONGEST_LINE].split("\n")))
    return _Shown(peer_words(without_quoted(repr(value)[:LONGEST_LINE]), limit=LONGEST_LINE))


def _log_the_end(kind: type[BaseException], error: BaseException, at: Any) -> None:
    """Log an uncaught exception, in place of the interpreter's traceback."""
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("the process ends by a defect", exc_info=error.with_traceback(at))


def _log_thread(failed: threading.ExceptHookArgs) -> None:
    name = failed.thread.name if failed.thread else "a thread"
    log.error("thread %s ended by a defect", name, exc_info=failed.exc_value)


def _log_unraisable(failed: sys.UnraisableHookArgs) -> None:
    log.error("an exception that could not be raised", exc_info=failed.exc_value)
