"""`forget`: erases everything that is stored about a handset, but keeps its stops."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal.arguments import By, ReasonOption, actor_from, handset_from, words_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.suppression_key import SuppressionKey


def forget(
    handset: Annotated[str, typer.Argument(metavar="HANDSET", help="The handset to forget.")],
    reason: ReasonOption,
    by: By = None,
    home: Home = None,
) -> None:
    """Erase what is stored about a handset, and prove it.

    It says what remains and until when. Tables, their copies on workers' disks, and ClickHouse are
    erased at once. Kafka's topics are erased by their retention. The handset's stops stay: they are
    kept under an HMAC of the number, whose key is in its own file. The exit code is 1 if anything
    is left that should be erased.
    """
    address = handset_from(handset)
    actor, words = actor_from(by), words_from(reason)
    if address in words:
        raise typer.BadParameter("--reason is kept with the erasure: it must not hold the number")
    settings = settings_from(home=home)

    from pipeline.cli.forget.order import Order, carried_out
    from pipeline.cli.forget.proof import Proof, lines_of_proof, remaining
    from pipeline.home.stack import bootstrap_of

    bootstrap = bootstrap_of(settings)
    key = _key_of(settings, bootstrap)
    proof = Proof(settings, address)
    before = proof.rows()
    order = Order(settings, bootstrap, address, actor=actor, reason=words)
    done = carried_out(order, say=lambda line: say(line, err=True))
    if done.erasure.suppression != key.of(address).hex():
        raise CommandError("the workers use another suppression key than this machine")
    after = proof.rows_once_erased(done)
    old_parts = proof.old_parts(before)
    found = proof.databases_with_digits(done)
    for line in lines_of_proof(done, before, after, old_parts, found):
        say(line)
    for line in remaining(settings, bootstrap, done):
        say(line)
    if left := proof.left(after, old_parts, found, done):
        raise CommandError(f"not everything is erased: {'; '.join(left)}")


def _key_of(settings: "Settings", bootstrap: str) -> "SuppressionKey":
    """The key; a new key is made only if no handset was ever forgotten."""
    from pipeline.cli.forget.order import anyone_was_forgotten
    from pipeline.suppression_key import SuppressionKeyError, key_file, make_key, read_key

    file = key_file(settings)
    try:
        key = read_key(file)
    except SuppressionKeyError as error:
        raise CommandError(str(error)) from error
    if key is not None:
        return key
    if anyone_was_forgotten(bootstrap):
        raise CommandError(f"there is no suppression key at {file}, but one was used: restore it")
    _say_where(file)
    return make_key(file)


def _say_where(file: Path) -> None:
    say(
        f"a new suppression key is in {file}. Without the key the stops of forgotten handsets are"
        " lost, and with the key anyone can tell whose stops they are. Keep a copy of it apart from"
        " the copies of the data, and give it to every worker and store.",
        err=True,
    )
