"""`twoway up`: runs the whole stack of a home on this machine, in the foreground."""

from __future__ import annotations

import signal
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.children import Program
from pipeline.cli.local.kafka import LocalKafka, broker_is_ready
from pipeline.cli.local.programs import command_line_of, programs_of_stack
from pipeline.cli.local.saying import say
from pipeline.cli.local.stack_gateway import GATEWAY, PlayedGateway
from pipeline.cli.local.stack_settings import is_of_this_machine, url_of, with_free_ports
from pipeline.cli.local.stack_ways import (
    ACCOUNTS_PROGRAM,
    DELIVER_PROGRAM,
    NUMBERS_NAME,
    SENDER_PROGRAM,
    WAY_PROGRAMS,
)
from pipeline.cli.local.supervision import Supervisor, keep_previous
from pipeline.cli.operate.groups import begin_topic_of_offsets
from pipeline.cli.operate.numbers import numbers_from_file, publish_numbers, summary_of
from pipeline.cli.terminal.failure import CommandError
from pipeline.clock import PipelineClock
from pipeline.home.brokers import PLAINTEXT
from pipeline.home.holding import (
    CHILDREN_NAME,
    end_leftovers,
    hold,
    write_atomically,
    write_children,
)
from pipeline.home.process import CannotStart
from pipeline.home.stack import BROKER_NAME, STACK_FILE, Stack, StackError, bootstrap_of
from pipeline.kafka.admin import TopicsError, create_topics
from pipeline.process.log_guard import guard_logs
from pipeline.process.room import is_for_lack_of_room, words_of_little_room

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from pipeline.settings import Settings

#: These need the broker and the worker, and nothing needs them: they are told to end at once.
_AFTER_INGEST: Final = (DELIVER_PROGRAM, ACCOUNTS_PROGRAM, SENDER_PROGRAM)
OUTER: Final = (*_AFTER_INGEST, *WAY_PROGRAMS, GATEWAY, "ingest")
ENDS: Final = (*OUTER, "worker", "store", "kafka")
#: Times `hang_seconds`. A process that hangs ends itself first, and writes where it hangs.
PATIENCE: Final = 1.5
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, *, ready_file: Path | None = None, plays_gateway: bool = False) -> None:
    """Run the stack until SIGINT, SIGTERM or SIGHUP; raises `StackError`.

    It starts its own broker, or uses a broker of this machine that the setting kafka names. It
    refuses a broker of another machine, because the clock of a local stack can be advanced.
    """
    guard_logs(settings)
    if elsewhere := [each for each in _servers(settings) if not is_of_this_machine(each)]:
        raise StackError(
            f"`up` works only with a broker of this machine, and TWOWAY_KAFKA names {elsewhere[0]}:"
            " run `worker`, `ingest` and `store` separately, or unset TWOWAY_KAFKA"
        )
    if not settings.kafka and settings.kafka_security_protocol != PLAINTEXT:
        raise StackError(
            "the broker that `up` starts has no login: unset kafka_security_protocol, or name"
            " another broker of this machine by TWOWAY_KAFKA"
        )
    try:
        with hold(settings.home):
            end_leftovers(settings.home, say=say)
            all_settings, played = with_free_ports(settings), None
            if plays_gateway:
                played = PlayedGateway(all_settings)
                all_settings = played.settings
            _LocalStack(all_settings, ready_file=ready_file, played=played).run()
    except (CannotStart, TopicsError, OSError) as error:
        raise StackError(str(error)) from error


def _servers(settings: Settings) -> list[str]:
    return [each for each in settings.kafka.split(",") if each]


class _LocalStack:
    """The processes of one `up`, and the files that describe them."""

    def __init__(
        self, settings: Settings, *, ready_file: Path | None, played: PlayedGateway | None
    ) -> None:
        self._settings = settings
        self._played = played
        self._home = settings.home
        self._files = [self._home / STACK_FILE, *([ready_file.resolve()] if ready_file else [])]
        self._kafka = (
            None
            if settings.kafka
            else LocalKafka(
                home=self._home, port=settings.kafka_port, partitions=settings.partitions, say=say
            )
        )
        self._bootstrap = self._kafka.bootstrap if self._kafka else bootstrap_of(settings)
        self._stop = threading.Event()
        self._may_interrupt = False
        self._is_announced, self._is_written = False, True
        programs = [
            *self._broker(),
            *self._played_gateway(),
            *programs_of_stack(settings, log=self._log, needs=("kafka",) if self._kafka else ()),
        ]
        self._names = [program.name for program in programs]
        self._supervisor = Supervisor(
            programs=programs,
            ends=[name for name in ENDS if name in self._names],
            told_at_once=[name for name in OUTER if name in self._names],
            stop=self._stop,
            say=say,
            changed=self._changed,
            all_ready=self._all_ready,
            hang_seconds=PATIENCE * settings.hang_seconds,
            no_room=partial(words_of_little_room, self._home),
        )

    def run(self) -> None:
        """Run until a signal; the processes are ended in any case."""
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        for file in self._files:
            file.unlink(missing_ok=True)
        for name in self._names:
            keep_previous(self._log(name))
        say(f"home is {self._home}; logs are in {self._home / 'logs'}")
        try:
            if not self._kafka:
                self._set_broker_up()
            self._supervisor.run()
        except KeyboardInterrupt:
            self._stop.set()
        finally:
            say("stopping")
            self._supervisor.end()
            for name in (STACK_FILE, BROKER_NAME, CHILDREN_NAME):
                (self._home / name).unlink(missing_ok=True)
            for number, handler in before.items():
                signal.signal(number, handler)
        say(f"stopped; the data stay in {self._home}")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()
        if self._may_interrupt:
            raise KeyboardInterrupt

    def _log(self, name: str) -> Path:
        return self._home / "logs" / f"{name}.log"

    def _played_gateway(self) -> list[Program]:
        """The stand-in of the gateway, where it was asked for."""
        if self._played is None:
            return []
        return [self._played.program(partial(command_line_of, home=self._home), self._log)]

    def _broker(self) -> list[Program]:
        """Our own broker; empty if the setting kafka names one."""
        kafka = self._kafka
        if not kafka:
            return []
        return [
            Program(
                name="kafka",
                command=partial(self._prepared, kafka),
                environment=kafka.environment,
                log=kafka.log,
                is_ready=partial(broker_is_ready, kafka.bootstrap),
                once_ready=self._set_broker_up,
            )
        ]

    def _prepared(self, kafka: LocalKafka) -> Sequence[str]:
        """The broker's command line. The first time takes long, and a signal may interrupt it."""
        self._may_interrupt = True
        try:
            return kafka.prepare()
        finally:
            self._may_interrupt = False

    def _set_broker_up(self) -> None:
        """Create the topics and load the number directory, before other programs use them."""
        create_topics(self._bootstrap, self._settings)
        if not self._settings.kafka:
            begin_topic_of_offsets(self._bootstrap)
        write_atomically(self._home / BROKER_NAME, f"{self._bootstrap}\n")
        numbers = Path(self._settings.numbers or self._home / NUMBERS_NAME)
        if not numbers.is_file() and not self._settings.numbers:
            return
        try:
            now = PipelineClock(self._home).now()
            loaded = numbers_from_file(numbers, account=self._settings.account, loaded_at=now)
        except CommandError as error:
            say(f"the previous directory stays in force: {error}")
            return
        publish_numbers(self._settings, loaded)
        say(f"{numbers} is in force: {summary_of(loaded)}")

    def _changed(self) -> bool:
        """Write the process ids to the files; False while there is no room for them."""
        children = self._supervisor.children.values()
        pids = {it.program.name: (it.process.pid, it.argv) for it in children if it.process}
        try:
            write_children(self._home, pids)
            for file in self._files if self._is_announced else ():
                write_atomically(file, self._stack().as_json())
        except OSError as error:
            if not is_for_lack_of_room(error):
                raise
            if self._is_written:
                say(f"the process ids are not written: {words_of_little_room(self._home) or error}")
            self._is_written = False
        else:
            self._is_written = True
        return self._is_written

    def _all_ready(self) -> bool:
        self._is_announced = True
        is_written, stack = self._changed(), self._stack()
        say(f"ready: ingest {stack.ingest}, report {stack.report}, Kafka {stack.kafka}")
        say("Ctrl-C ends it and keeps the data")
        return is_written

    def _stack(self) -> Stack:
        settings, children = self._settings, self._supervisor.children
        return Stack(
            kafka=self._bootstrap,
            ingest=url_of(settings.http_host, settings.http_port, tls=bool(settings.tls_cert)),
            report=url_of(
                settings.report_host, settings.report_port, tls=bool(settings.report_tls_cert)
            ),
            pids=self._supervisor.pids,
            hangs={name: it.hangs for name, it in children.items() if it.hangs},
        )
