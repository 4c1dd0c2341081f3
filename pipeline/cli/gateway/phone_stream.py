"""A handset's events from the stand-in's page, and texts to it, over HTTP on loopback."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pipeline.cli.ask.report_client import call
from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Fields = dict[str, str | int]

SILENCE_SECONDS: Final = 30.0  # the stream says something at least every ten
SETTLE_SECONDS: Final = 10.0
_MARKS: Final = {"texted": ">", "shown": "<", "fault": "!", "consent": "="}
_STATES: Final = frozenset({"refused", "status", "handed-over"})


class Conversation:
    """What both directions share: the number to text, and whether the stream still runs."""

    def __init__(self, address: str, handset: str, number: str) -> None:
        self.address = address
        self.handset = handset
        self.number = number
        self._is_chosen = bool(number)
        self.connected = threading.Event()
        self.lost = ""
        self._awaited = 0  # the number of the last event that our texts brought
        self._seen = 0
        self._shown = threading.Condition()

    @property
    def base(self) -> str:
        """The handset's own place."""
        return f"{self.address}/phones/{self.handset}"

    def choose(self, number: str) -> None:
        """Text this number from now on, whoever texts the handset."""
        self.number, self._is_chosen = number, True

    def send(self, text: str) -> None:
        """Text as the handset; raises `CommandError` with the gateway's words."""
        if not self.number:
            raise CommandError("say which number to text: --to NUMBER, or /to NUMBER")
        body = urlencode({"number": self.number, "text": text}).encode()
        headers = {"Accept": "application/json"}
        answer = call(f"{self.base}/texts", body=body, headers=headers)
        if answer.status != 200:
            raise CommandError(f"the stand-in refuses it: {' '.join(answer.text.split())}")
        self._awaited = int(json.loads(answer.text)["event"])

    def note(self, fields: Fields) -> None:
        """The number last spoken to, and how far the stream is."""
        is_message = fields["kind"] in {"shown", "texted"} and str(fields["other"]).isdecimal()
        if is_message and not self._is_chosen:
            self.number = str(fields["other"])
        with self._shown:
            self._seen = int(fields["number"])
            self._shown.notify_all()

    def settle(self) -> None:
        """Wait until all that was sent has been shown."""
        with self._shown:
            self._shown.wait_for(lambda: self._seen >= self._awaited or self.lost, SETTLE_SECONDS)

    def refuse_lost(self) -> None:
        """Raise `CommandError` where the stream has ended."""
        if self.lost:
            raise CommandError(self.lost)


def follow(conversation: Conversation, show: Callable[[str], None]) -> None:
    """Show every event until the gateway ends."""
    try:
        for fields in events_of(conversation.base, connected=conversation.connected):
            words = line_of(fields)
            if words:
                show(words)
            conversation.note(fields)
        conversation.lost = f"the stand-in at {conversation.address} has ended"
    except OSError as error:
        why = getattr(error, "reason", "") or error
        conversation.lost = f"the stand-in at {conversation.address} does not answer: {why}"
        if conversation.connected.is_set():  # else whoever waits for it says so
            show(f"twoway: {conversation.lost}")
    finally:
        conversation.connected.set()


def events_of(base: str, *, connected: threading.Event) -> Iterator[Fields]:
    """Every event of a handset's place, from the first on; raises `OSError`.

    `connected` is set once what had happened before has been given.
    """
    request = urllib.request.Request(f"{base}/events?seen=0")  # noqa: S310  http on loopback
    with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as stream:  # noqa: S310  as above
        for line in stream:
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))
            elif line.startswith(b":"):
                connected.set()


def line_of(fields: Fields) -> str:
    """`09:30:03 < 447700900999  Your parcel is here`; empty for what a handset does not see."""
    kind, text = str(fields["kind"]), str(fields["text"]).replace("\n", "\n           ")
    if kind in _STATES:
        return f"{fields['at']} . {fields['other']}  {fields['state']}"
    if kind not in _MARKS:
        return ""
    other = f"{fields['other']}  " if kind in {"texted", "shown"} else ""
    parts = f"  [{fields['parts']}]" if fields["parts"] and kind in {"texted", "shown"} else ""
    return f"{fields['at']} {_MARKS[kind]} {other}{text}{parts}"
