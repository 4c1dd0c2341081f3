"""`phone`: a handset in a terminal."""

import sys
import threading
from typing import Annotated

import typer

from pipeline.cli.terminal.arguments import handset_from, number_from
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

END_WORDS = "Type a text and Enter to send it; /to NUMBER to text another; Ctrl-D ends."


def phone(
    handset: Annotated[str, typer.Argument(help="The handset, with its country code.")],
    number: Annotated[
        str | None,
        typer.Option("--to", help="The number to text; else that of the last message."),
    ] = None,
    gateway: Annotated[
        str | None,
        typer.Option(
            "--gateway", metavar="URL", help="Where the stand-in listens; else the home's."
        ),
    ] = None,
    home: Home = None,
) -> None:
    """Be a handset of the gateway's stand-in: see what it shows, and send what you type.

    What happened before is shown first. Where stdin is no terminal, each of its lines is sent, and
    the command ends with the last.
    """
    from pipeline.cli.gateway.phone_stream import Conversation, address_of, follow

    digits = handset_from(handset)
    address = address_of(gateway, settings_from(home=home).home)
    conversation = Conversation(address, digits, number_from(number) if number else "")
    is_typed = sys.stdin.isatty()
    if is_typed:
        say(f"This is +{digits}. {END_WORDS}")
    following = threading.Thread(target=follow, args=(conversation, say), daemon=True)
    following.start()
    conversation.connected.wait()
    for line in sys.stdin:
        words = line.rstrip("\r\n")
        if words.startswith("/to "):
            conversation.number = number_from(words.removeprefix("/to "))
        elif words:
            conversation.send(words)
        conversation.refuse_lost()
    if not is_typed:
        conversation.settle()
