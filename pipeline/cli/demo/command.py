"""`demo`: plays a conversation through a real stack and shows it."""

import signal
import sys
import time
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
        bool,
        typer.Option("--keep", help="Leave it running to play with, until Ctrl-C ends it all."),
    ] = False,
    home: Home = None,
) -> None:
    """Play a real two-way conversation through a real stack, and show it.

    The command starts a stack under --home (default: .twoway/demo) on free ports, and beside it the
    gateway's stand-in. A handset texts by every way in, an application answers by every way out, an
    answer is lost, a STOP stops, six hours pass; each effect is checked. Then it prints what the
    handset saw, and stops all. The data stay, and you can run the demo again.
    """
    from rich.console import Console

    from pipeline.cli.demo.conversation import NUMBERS_TOML
    from pipeline.cli.demo.stack import running_stack
    from pipeline.cli.gateway.address import address_of
    from pipeline.home.stack import find_stack

    _end_in_order_on(signal.SIGTERM)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    where = (home or DEMO_HOME).absolute()
    settings_from(home=where)
    console.print(f"[bold]Two-way demo[/bold] under {where}", highlight=False, soft_wrap=True)
    is_ours = find_stack(where) is None

    def say(words: str) -> None:
        console.print(f"   {words}", style="dim", highlight=False, markup=False, soft_wrap=True)

    where.mkdir(parents=True, exist_ok=True)
    (where / "numbers.toml").write_text(NUMBERS_TOML, encoding="utf-8")
    with running_stack(where, say=say) as stack:
        page = address_of(None, where)
        handset = _play(stack, page, home=where, console=console)
        if keep or not is_ours:
            for line in lines_to_try(home or DEMO_HOME, handset, page=page, report=stack.report):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
        if keep and is_ours:
            _until_interrupted(where, console)
    if not keep:
        line = f"Try next: twoway demo --keep --home {home or DEMO_HOME}"
        console.print(line, highlight=False, soft_wrap=True)


def lines_to_try(home: Path, handset: str, *, page: str, report: str) -> list[str]:
    """Where to look, and what to type, while the stack runs."""
    from pipeline.cli.demo.conversation import DEMO_NUMBER

    return [
        "",
        f"The phones:  {page}/",
        f"The report:  {report}/",
        "Try, in another terminal:",
        f'  twoway text {handset} {DEMO_NUMBER} "Hello 👋" --home {home}',
        f'  twoway mt --to {handset} --from {DEMO_NUMBER} --text "Hello yourself" --home {home}',
        f"  twoway why {handset} --home {home}",
    ]


def _play(stack: "Stack", page: str, *, home: Path, console: "Console") -> str:
    """Put the directory in force, play the conversation, and print it; the handset."""
    from pipeline.cli.demo.bubbles import bubbles
    from pipeline.cli.demo.play import Play
    from pipeline.cli.demo.scene import Scene
    from pipeline.cli.demo.tables import arrivals_table, consent_table, conversation_table
    from pipeline.cli.operate.numbers import numbers_from_file, publish_numbers
    from pipeline.clock import PipelineClock

    settings = settings_from(home=home, kafka=stack.kafka)
    clock = PipelineClock(home)
    file = home / "numbers.toml"
    publish_numbers(
        settings, numbers_from_file(file, account=settings.account, loaded_at=clock.now())
    )
    begun = time.monotonic()
    scene = Scene(console=console, report=stack.report)
    play = Play(stack=stack, address=page, home=home, clock=clock, scene=scene)
    play.run()
    handset = play.phone.handset
    console.print()
    console.print(arrivals_table(scene, handset=handset))
    console.print(conversation_table(scene, handset=handset))
    console.print(consent_table(scene, handset=handset))
    for each in bubbles(play.phone):
        console.print(each)
    seconds = time.monotonic() - begun
    console.print(f"[green]All {scene.checks} checks passed, in {seconds:.0f} s.[/green]")
    return handset


def _until_interrupted(home: Path, console: "Console") -> None:
    """Wait for Ctrl-C; `up` has a session of its own, and is ended in order afterwards."""
    from pipeline.home.stack import find_stack

    console.print("Ctrl-C ends it all; the data stay.", highlight=False)
    try:
        while find_stack(home) is not None:
            time.sleep(1.0)
        console.print("The stack has ended by itself: see logs/ under the home.")
    except KeyboardInterrupt:
        console.print()


def _end_in_order_on(number: signal.Signals) -> None:
    """Turn the signal into SystemExit, so that the stack is stopped."""

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(number, end)
