"""`demo`: plays a conversation through a real stack and shows it."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.options import Home, settings_from

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.home.stack import Stack

DEMO_HOME: Final = Path(".twoway/demo")
WIDTH: Final = 120  # where stdout is no terminal


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the stack running, and print its addresses.")
    ] = False,
    home: Home = None,
) -> None:
    """Play a real two-way conversation through a real stack, and show it.

    The command starts a stack under --home (default: .twoway/demo) on free ports. It sends what the
    gateway and an application would send, by every way in, and checks each effect. Then it prints
    what ClickHouse has, and stops the stack. `twoway import` reads the log in place of `twoway
    ftp`. The data stay, and you can run the demo again.
    """
    from rich.console import Console

    from pipeline.cli.demo.stack import running_stack
    from pipeline.home.stack import find_stack

    _end_in_order_on(signal.SIGTERM)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    where = (home or DEMO_HOME).absolute()
    settings_from(home=where)
    console.print(f"[bold]Two-way demo[/bold] under {where}", highlight=False, soft_wrap=True)
    stays = keep or find_stack(where) is not None

    def say(words: str) -> None:
        console.print(f"   {words}", style="dim", highlight=False, markup=False, soft_wrap=True)

    with running_stack(where, keep=keep, say=say) as stack:
        _play(stack, home=where, console=console)
    console.print(
        f"Try next: {next_line(home or DEMO_HOME, stays=stays)}", highlight=False, soft_wrap=True
    )


def next_line(home: Path, *, stays: bool) -> str:
    """What to type after the demo."""
    if stays:
        return f"twoway sql 'SELECT * FROM two_way' --home {home}"  # noqa: S608  a line to read
    return f"twoway demo --keep, and then: twoway status --home {home}"


def _play(stack: "Stack", *, home: Path, console: "Console") -> None:
    """Load the directory, play the conversation, and print its tables."""
    from pipeline.cli.demo.conversation import NUMBERS_TOML
    from pipeline.cli.demo.play import Play
    from pipeline.cli.demo.receiver import bound_receiver
    from pipeline.cli.demo.scene import Scene
    from pipeline.cli.demo.tables import arrivals_table, consent_table, conversation_table
    from pipeline.cli.operate.numbers import numbers_from_file, publish_numbers
    from pipeline.clock import PipelineClock

    settings = settings_from(home=home, kafka=stack.kafka)
    clock = PipelineClock(home)
    file = home / "numbers.toml"
    file.write_text(NUMBERS_TOML, encoding="utf-8")
    publish_numbers(
        settings, numbers_from_file(file, account=settings.account, loaded_at=clock.now())
    )
    scene = Scene(console=console, report=stack.report)
    with bound_receiver(home) as smsc:
        play = Play(stack=stack, smsc=smsc, home=home, clock=clock, scene=scene)
        play.run()
    console.print()
    console.print(arrivals_table(scene, handset=play.handset))
    console.print(conversation_table(scene, handset=play.handset))
    console.print(consent_table(scene, handset=play.handset))
    console.print(f"[green]All {scene.checks} checks passed.[/green]")


def _end_in_order_on(number: signal.Signals) -> None:
    """Turn the signal into SystemExit, so that the stack is stopped."""

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(number, end)
