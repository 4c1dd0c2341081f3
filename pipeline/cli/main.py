"""The command line `twoway`: its commands, each with an example.

`python -m pipeline.cli.main` runs the same command line.
"""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from pipeline.cli.account import credit
from pipeline.cli.account import group as account_group
from pipeline.cli.apis import command as apis
from pipeline.cli.backup.group import add_backup
from pipeline.cli.consent import import_stops as consent_import
from pipeline.cli.consent import review
from pipeline.cli.consent import stop_open as consent
from pipeline.cli.dead_letter import listing as dead_letter
from pipeline.cli.dead_letter import retry as dead_letter_retry
from pipeline.cli.delivery import again as delivery_again
from pipeline.cli.delivery import listing as delivery
from pipeline.cli.demo import command as demo
from pipeline.cli.forget import command as forget
from pipeline.cli.gateway import command as gateway
from pipeline.cli.gateway import phone, text
from pipeline.cli.mt import request as mt
from pipeline.cli.mt import resolve as mt_resolve
from pipeline.cli.mt import show as mt_show
from pipeline.cli.operate import clock, leave, numbers, status
from pipeline.cli.processes import accounts, deliver, ftp, sender, smpp
from pipeline.cli.processes import main as processes
from pipeline.cli.records import consume, import_log, ready_questions, sql, tail
from pipeline.cli.replay import command as replay
from pipeline.cli.report import command as report
from pipeline.cli.terminal import completion
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.groups import add_command as _add
from pipeline.cli.terminal.groups import built_commands as _built_commands
from pipeline.cli.terminal.groups import group as _group
from pipeline.cli.terminal.help import EXIT_CODES
from pipeline.cli.terminal.saying import say
from pipeline.cli.user import group as user_group
from pipeline.cli.why import command as why
from pipeline.home.stack import StackError
from pipeline.settings import SettingsError

EXIT_FAILED: Final = 1
ABOUT: Final = (
    "The customer's side of two-way SMS. It keeps every message, honours STOP and explains every"
    " decision."
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from pipeline.build_info import built_commit, version

        say(f"twoway {version()} ({built_commit()})")
        raise typer.Exit


app = _group(
    ABOUT,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


_add(app, "up", processes.up, example="up --home .twoway --ready-file ready.json")
_add(app, "demo", demo.demo, example="demo")
_add(app, "status", status.status, example="status --json")
_add(app, "consume", consume.consume, example="consume mo-message --from-beginning --max 10")
_add(app, "tail", tail.tail, example="tail --number 447700900999 --only in --only out")
_ID = "0f3a5c7e9b1d4f60718293a4b5c6d7e8"
_mt = _group(invoke_without_command=True)
_mt.callback()(mt.mt)
_add(_mt, "show", mt_show.show_mt, example=f"mt show {_ID}")
_add(
    _mt,
    "resolve",
    mt_resolve.resolve,
    example=f"mt resolve {_ID} --not-sent --reason 'The gateway knows no such message.'",
)
app.add_typer(
    _mt,
    name="mt",
    epilog="Example: twoway mt --to 447700900001 --text 'Your parcel is here' --from 447700900999",
)

_add(
    app,
    "sql",
    sql.sql,
    example="sql 'SELECT at, direction, handset, text FROM two_way ORDER BY at'",
)
_add(
    app,
    "ask",
    ready_questions.ask,
    example="ask sent-though-stopped --param since=2026-03-01T00:00:00Z",
)
_add(
    app,
    "report",
    report.report,
    example="report opt-outs --since 2026-03-01 --format xlsx -o stops.xlsx",
)
_add(app, "import", import_log.import_log, example="import mo.log")
_add(app, "worker", processes.worker, example="worker --home .twoway")
_add(app, "leave", leave.leave, example="leave worker-3")
_add(app, "ingest", processes.ingest, example="ingest --http-port 8080")
_add(app, "store", processes.store, example="store --report-port 8081")
_add(app, "smpp", smpp.smpp, example="smpp --home .twoway")
_add(app, "ftp", ftp.ftp, example="ftp --home .twoway")
_add(app, "sender", sender.sender, example="sender --home .twoway")
_add(app, "accounts", accounts.accounts, example="accounts --home .twoway")

_deliver = _group(invoke_without_command=True)
_deliver.callback()(deliver.deliver)
_add(_deliver, "try", deliver.try_path, example="deliver try crm")
app.add_typer(_deliver, name="deliver", epilog="Example: twoway deliver --home .twoway")

_delivery = _group("Messages handed on to your application.", no_args_is_help=True)
_add(_delivery, "list", delivery.list_deliveries, example="delivery list --path crm")
_add(
    _delivery,
    "retry",
    delivery_again.retry_deliveries,
    example="delivery retry 0f3a5c7e9b1d4f60718293a4b5c6d7e8",
)
_add(
    _delivery,
    "replay",
    delivery_again.replay_messages,
    example="delivery replay --since 2026-03-01 --path crm --yes",
)
app.add_typer(_delivery, name="delivery", epilog="Example: twoway delivery list")

_apis = _group("The APIs of the gateway to send by.", no_args_is_help=True)
_add(_apis, "check", apis.check_apis, example="apis check apis.toml")
_add(_apis, "try", apis.try_api, example="apis try 3155")
app.add_typer(_apis, name="apis", epilog="Example: twoway apis check")

_add(
    app,
    "credit",
    credit.credit,
    example="credit main 500 --reason 'Paid.' --id invoice-2026-031",
    context_settings=credit.CONTEXT,
)
app.add_typer(account_group.ACCOUNT, name="account", epilog="Example: twoway account show")

_gateway = _group(invoke_without_command=True)
_gateway.callback()(gateway.gateway)
_add(_gateway, "seen", gateway.seen, example="gateway seen --twice")
app.add_typer(_gateway, name="gateway", epilog="Example: twoway gateway --home .twoway")
_add(app, "text", text.text, example="text 447700900001 447700900999 'Hello 👋'")
_add(app, "phone", phone.phone, example="phone 447700900001 --to 447700900999")

_numbers = _group("The directory of rented numbers.", no_args_is_help=True)
_add(_numbers, "check", numbers.check, example="numbers check numbers.toml")
_add(_numbers, "load", numbers.load, example="numbers load numbers.toml")
app.add_typer(_numbers, name="numbers", epilog="Example: twoway numbers load numbers.toml")

_dead_letter = _group("Dead letters: refused records, and why.", no_args_is_help=True)
_add(_dead_letter, "list", dead_letter.list_letters, example="dead-letter list --max 20 --json")
_add(
    _dead_letter,
    "retry",
    dead_letter_retry.retry,
    example="dead-letter retry 0f3a5c7e9b1d4f60718293a4b5c6d7e8",
)
app.add_typer(_dead_letter, name="dead-letter", epilog="Example: twoway dead-letter list")

_add(
    app,
    "stop",
    consent.stop,
    example="stop 447700900001 447700900999 --reason 'Asked by letter.'",
)
_add(app, "open", consent.open_again, example="open 447700900001 --reason 'Signed up again.'")

_add(app, "forget", forget.forget, example="forget 447700900001 --reason 'Asked by letter.'")

_add(app, "why", why.why, example="why 447700900001 447700900999")
_add(
    app,
    "replay",
    replay.replay,
    example="replay --rule changed-numbers.toml --since 2026-03-01",
)

app.add_typer(user_group.USERS, name="user", epilog="Example: twoway user list")

_stops = _group("Many stops at once that did not come by SMS.", no_args_is_help=True)
_add(
    _stops,
    "import",
    consent_import.import_stops,
    example="stops import stops.csv --reason 'From the old system.'",
)
app.add_typer(_stops, name="stops", epilog="Example: twoway stops import stops.csv")

_review = _group(invoke_without_command=True, epilog="Example: twoway review --max 20")
_review.callback()(review.list_messages)
_add(_review, "accept", review.accept, example=f"review accept {_ID} --reason 'Means it.'")
_add(_review, "dismiss", review.dismiss, example=f"review dismiss {_ID} --reason 'An order.'")
app.add_typer(_review, name="review", epilog="Example: twoway review --max 20")

_clock = _group(invoke_without_command=True, epilog="Example: twoway clock -v")
_clock.callback()(clock.show)
_add(_clock, "advance", clock.advance, example="clock advance 6h")
_add(_clock, "reset", clock.reset, example="clock reset")
app.add_typer(_clock, name="clock")

add_backup(app)
_add(app, "completion", completion.completion, example="completion bash")


def main() -> None:
    """Run the command line. An expected failure prints one sentence on stderr and exits 1."""
    completion.prepare_completion()
    try:
        _built_commands(app)(prog_name="twoway")
    except (CommandError, SettingsError, StackError) as error:
        say(f"twoway: {error}", err=True)
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
