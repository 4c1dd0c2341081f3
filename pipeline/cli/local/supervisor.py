"""`twoway up`: the whole stack of a home on this machine, in the foreground."""

from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.children import Program
from pipeline.cli.local.kafka import LocalKafka, broker_is_ready
from pipeline.cli.local.ports import LOOPBACK
from pipeline.cli.local.stack_gateway import GATEWAY, PlayedGateway
from pipeline.cli.local.stack_settings import (
    answers,
    answers_ready,
    is_of_this_machine,
    settings_as_environment,
    settled,
    url_of,
    where_to_call,
    with_name,
)
from pipeline.cli.local.stack_ways import WAY_PROGRAMS, programs_of_ways
from pipeline.cli.local.supervision import Supervisor, keep_previous
from pipeline.cli.operate.numbers import numbers_from_file, publish_numbers, summary_of
from pipeline.cli.terminal.failure import CommandError
from pipeline.clock import PipelineClock
from pipeline.home.holding import (
    CHILDREN_NAME,
    end_leftovers,
    hold,
    write_atomically,
    write_children,
)
from pipeline.home.process import CannotStart
from pipeline.home.stack import BROKER_NAME, STACK_FILE, Stack, StackError
from pipeline.kafka.admin import TopicsError, create_topics
from pipeline.process.log_guard import guard_logs
from pipeline.process.secret_settings import secrets_as_lines, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from pipeline.settings import Settings

ENDS: Final = (GATEWAY, *WAY_PROGRAMS, "ingest", "worker", "store", "kafka")
#: A process that hangs ends itself first, and says where.
PATIENCE: Final = 1.5
NUMBERS_NAME: Final = "numbers.toml"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, *, ready_file: Path | None = None, plays_gateway: bool = False) -> None:
    """Bring the stack up and keep it until SIGINT or SIGTERM; raises `StackError`.

    It starts a broker of its own, or takes one of this machine by the setting kafka: the clock of
    a local stack can be advanced, which must not reach a broker that others work with.
    """
    guard_logs(settings)
    if elsewhere := [each for each in _servers(settings) if not is_of_this_machine(each)]:
        raise StackError(
            f"`up` takes a broker of this machine only, and TWOWAY_KAFKA names {elsewhere[0]}:"
            " run `worker`, `ingest` and `store` by themselves, or unset it"
        )
    try:
        with hold(settings.home):
            end_leftovers(settings.home, say=say)
            all_settings, played = settled(settings), None
            if plays_gateway:
                played = PlayedGateway(all_settings)
                all_settings = played.settings
            _LocalStack(all_settings, ready_file=ready_file, played=played).run()
    except (CannotStart, TopicsError, OSError) as error:
        raise StackError(str(error)) from error


def _servers(settings: Settings) -> list[str]:
    return [each for each in settings.kafka.split(",") if each]


def say(words: str) -> None:
    """A line for whoever started us."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


class _LocalStack:
    """The processes of one `up`, and the files that tell others of them."""

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
        self._bootstrap = self._kafka.bootstrap if self._kafka else settings.kafka
        self._stop = threading.Event()
        self._may_interrupt = False
        self._is_announced = False
        programs = self._programs()
        self._names = [program.name for program in programs]
        self._supervisor = Supervisor(
            programs=programs,
            ends=[name for name in ENDS if name in self._names],
            stop=self._stop,
            say=say,
            changed=self._changed,
            all_ready=self._all_ready,
            hang_seconds=PATIENCE * settings.hang_seconds,
        )

    def run(self) -> None:
        """Until a signal; the processes are ended whatever happens."""
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

    def _programs(self) -> list[Program]:
        settings = self._settings
        is_tls = bool(settings.tls_cert)
        http_host = where_to_call(settings.http_host)
        report_host = where_to_call(settings.report_host)
        asks = {
            "ingest": partial(answers, http_host, settings.http_port, tls=is_tls),
            "worker": partial(answers, LOOPBACK, settings.metrics_port),
            "store": partial(answers, report_host, settings.report_port),
        }
        checks = {
            "ingest": partial(answers_ready, http_host, settings.http_port, tls=is_tls),
            "worker": partial(answers_ready, LOOPBACK, settings.metrics_port),
            "store": partial(answers_ready, report_host, settings.report_port),
        }
        ours = replace(settings, kafka="")  # they find it under the home, whose clock they follow
        own = {name: settings_of(ours, name) for name in checks}
        processes = [
            Program(
                name=name,
                command=partial(self._command, name),
                environment=settings_as_environment(with_name(own[name], name)),
                given=secrets_as_lines(own[name]).encode(),
                log=self._log(name),
                is_ready=check,
                is_alive=asks[name],
                needs=("kafka",) if self._kafka else (),
            )
            for name, check in checks.items()
        ]
        ways = programs_of_ways(
            ours,
            command=self._command,
            log=self._log,
            needs=("kafka",) if self._kafka else (),
        )
        played = [self._played.program(self._command, self._log)] if self._played else []
        return [*self._broker(), *played, *processes, *ways]

    def _broker(self) -> list[Program]:
        """Our own broker; none when one was given."""
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

    def _command(self, name: str) -> Sequence[str]:
        # -P: a folder `pipeline` where the user happens to stand is not ours.
        return [sys.executable, "-P", "-m", "pipeline.cli.main", name, "--home", str(self._home)]

    def _prepared(self, kafka: LocalKafka) -> Sequence[str]:
        """The broker's command line; takes a while the first time, and may be interrupted."""
        self._may_interrupt = True
        try:
            return kafka.prepare()
        finally:
            self._may_interrupt = False

    def _set_broker_up(self) -> None:
        """Topics and number directory, before anything reads or writes them."""
        create_topics(self._bootstrap, self._settings)
        write_atomically(self._home / BROKER_NAME, f"{self._bootstrap}\n")
        numbers = Path(self._settings.numbers or self._home / NUMBERS_NAME)
        if not numbers.is_file() and not self._settings.numbers:
            return
        try:
            now = PipelineClock(self._home).now()
            loaded = numbers_from_file(numbers, account=self._settings.account, loaded_at=now)
        except CommandError as error:
            say(f"the directory of before stays in force: {error}")
            return
        publish_numbers(self._settings, loaded)
        say(f"{numbers} is in force: {summary_of(loaded)}")

    def _changed(self) -> None:
        """A process id is new."""
        children = self._supervisor.children.values()
        write_children(
            self._home,
            {it.program.name: (it.process.pid, it.argv) for it in children if it.process},
        )
        if self._is_announced:
            self._announce()

    def _all_ready(self) -> None:
        self._is_announced = True
        stack = self._announce()
        say(f"ready: ingest {stack.ingest}, report {stack.report}, Kafka {stack.kafka}")
        say("Ctrl-C ends it and keeps the data")

    def _announce(self) -> Stack:
        settings = self._settings
        children = self._supervisor.children
        stack = Stack(
            kafka=self._bootstrap,
            ingest=url_of(settings.http_host, settings.http_port, tls=bool(settings.tls_cert)),
            report=url_of(settings.report_host, settings.report_port, tls=False),
            pids=self._supervisor.pids,
            hangs={name: it.hangs for name, it in children.items() if it.hangs},
        )
        for file in self._files:
            write_atomically(file, stack.as_json())
        return stack
