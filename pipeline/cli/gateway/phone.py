"""`phone`: the conversation of a handset in a terminal."""

import sys
import threading
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.gateway.address import GatewayUrl, address_of
from pipeline.cli.terminal.arguments import handset_from, number_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from pipeline.cli.gateway.phone_stream import Conversation

END_WORDS = "Type a text and Enter to send it; /to NUMBER to text another; Ctrl-D ends."


def phone(
    handset: Annotated[
        str, typer.Argument(metavar="HANDSET", help="The handset, with its country code.")
    ],
    number: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="NUMBER", help="The number to text; else that of the last message."
        ),
    ] = None,
    gateway: GatewayUrl = None,
    home: Home = None,
) -> None:
    """Be a handset of the gateway that is played, in a terminal.

    What happened before is shown first. Where stdin is no terminal, each of its lines is sent, and
    the command ends with the last. Exit codes: 0 at the end of the input, 1 no stand-in answers or
    it refuses a text, 2 an argument is wrong.
    """
    from pipeline.cli.gateway.phone_stream import Conversation, follow

    digits = handset_from(handset)
    texted = number_from(number) if number else ""
    address = address_of(gateway, settings_from(home=home).home)
    conversation = Conversation(address, digits, texted)
    is_typed = sys.stdin.isatty()
    following = threading.Thread(target=follow, args=(conversation, say), daemon=True)
    following.start()
    conversation.connected.wait()
    conversation.refuse_lost()
    if is_typed:
        say(f"This is +{digits}. {END_WORDS}")
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for line in sys.stdin:
        try:
            _act_on(line.rstrip("\r\n"), conversation)
        except (CommandError, typer.BadParameter) as error:
            if not is_typed:
                raise
            say(f"twoway: {error}", err=True)
        conversation.refuse_lost()
    if not is_typed:
        conversation.settle()


def _act_on(words: str, conversation: "Conversation") -> None:
    """Text another number from now on, or send what was typed."""
    if words.startswith("/to "):
        conversation.choose(number_from(words.removeprefix("/to ")))
    elif words:
        conversation.send(words)
