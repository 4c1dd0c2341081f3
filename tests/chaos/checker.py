"""What must have come out, computed from what went in: an oracle of its own, without our stages.

The oracle plays `mo-raw` and `mt-request` of each partition in broker time. The results are
compared with the other topics, the driver's log and ClickHouse. A finding is a kind and words.
"""

from __future__ import annotations

import re
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KINDS: Final = (
    "lost",
    "doubled",
    "out of order",
    "wrong",
    "sent after a stop",
    "rows that differ",
    "tables that differ",
    "in a log",
)
KEPT_WORDS: Final = 12
CODECS: Final = {"ISO-8859-1": "latin-1", "UTF-16BE": "utf-16-be"}
STOP_WORDS: Final = frozenset({"stop", "end", "cancel", "unsubscribe", "quit"})  # G7.1.1
GATEWAY_ZONE: Final = timedelta(hours=2)  # G8.3.1


#: What identifies a row of each topic beside its place; empty where the place is all there is.
ID_OF: Final[Mapping[str, str]] = {
    "mo-raw": "",
    "mo-part": "part_id",
    "mo-message": "message_id",
    "consent-change": "change_id",
    "mt-request": "request_id",
    "mt-command": "command_id",
    "mt-rejection": "rejection_id",
    "dead-letter": "dead_letter_id",
}


class Entry(NamedTuple):
    """A record of a topic, decoded. `timestamp` is the broker's, in milliseconds."""

    partition: int
    offset: int
    timestamp: int
    record: Any

    @property
    def place(self) -> str:
        """Its position in its topic."""
        return f"{self.partition}/{self.offset}"


Topics = Mapping[str, "Sequence[Entry]"]


@dataclass
class Sent:
    """The driver's log: what was acknowledged to the driver."""

    acknowledged: set[str] = field(default_factory=set)  # moMsgIds
    requests: set[str] = field(default_factory=set)
    #: Requests made when a STOP was acknowledged and no newer text had been begun: none may pass.
    must_be_refused: set[str] = field(default_factory=set)


@dataclass
class Findings:
    """How often each kind was found, and the first of each in words."""

    kinds: tuple[str, ...] = KINDS
    counts: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)

    def add(self, kind: str, words: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= KEPT_WORDS:
            self.words.append(f"{kind}: {words}")

    @property
    def are_none(self) -> bool:
        return not sum(self.counts.values())

    def __str__(self) -> str:
        return ", ".join(f"{kind} {self.counts[kind]}" for kind in self.kinds)


class Part(NamedTuple):
    """A callback of the gateway, read from its query string as the guide says (G8.3.1)."""

    handset: str
    mo_msg_id: str
    at: int
    charset: str
    udh: str
    octets: bytes

    @classmethod
    def from_query(cls, query: bytes) -> Part:
        given = dict(pair.split(b"=", 1) for pair in query.split(b"&"))
        value = {k.decode(): unquote_to_bytes(v.replace(b"+", b" ")) for k, v in given.items()}
        text = {name: octets.decode("latin-1") for name, octets in value.items()}
        at = datetime.strptime(text["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return cls(
            handset=text["from"],
            mo_msg_id=text["moMsgId"],
            at=int((at - GATEWAY_ZONE).timestamp()),
            charset=text.get("charset", "ISO-8859-1"),
            udh=text.get("udh", "").lower(),
            octets=value.get("text", b""),
        )

    @property
    def place(self) -> tuple[str, int, int]:
        """Reference, total and number of a part; a message of one part has no reference."""
        if self.udh.startswith("050003"):
            return self.udh[6:8], int(self.udh[8:10], 16), int(self.udh[10:12], 16)
        if self.udh.startswith("060804"):
            return self.udh[6:10], int(self.udh[10:12], 16), int(self.udh[12:14], 16)
        return "", 1, 1


class Message(NamedTuple):
    """A whole message as it must come out."""

    mo_msg_ids: tuple[str, ...]
    text: str
    at: int


@dataclass
class Handset:
    """The conversation of one handset, played."""

    parts: list[str] = field(default_factory=list)  # part places in mo-raw, each once, in order
    messages: list[Message] = field(default_factory=list)  # in the order in which they are whole
    timeline: list[tuple[int, int, bool]] = field(default_factory=list)  # at, arrival, is a stop
    seen: set[tuple[str, str, bytes]] = field(default_factory=set)
    waiting: dict[tuple[str, int], dict[int, Part]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    @property
    def is_stopped(self) -> bool:
        """By gateway time: the newest stop or other text decides."""
        return bool(self.timeline) and self.timeline[-1][2]

    def take(self, part: Part, where: str, received: int) -> None:
        identity = (part.mo_msg_id, part.udh, part.octets)
        if identity in self.seen:
            return
        self.seen.add(identity)
        self.parts.append(where)
        reference, total, number = part.place
        slots = self.waiting[reference, total] if reference else {}
        slots[number] = part
        if len(slots) < total:
            return
        self.waiting.pop((reference, total), None)
        whole = [slots[number] for number in range(1, total + 1)]
        text = b"".join(p.octets for p in whole).decode(CODECS[whole[0].charset])
        message = Message(tuple(p.mo_msg_id for p in whole), text, min(p.at for p in whole))
        self.messages.append(message)
        self._note(message, received)

    def _note(self, message: Message, received: int) -> None:
        words = re.findall(r"\w+", message.text.lower())
        if not words or (STOP_WORDS & set(words) and len(words) > 1):
            return
        at = min(message.at, received)
        insort(self.timeline, (at, len(self.messages), words[0] in STOP_WORDS))


@dataclass
class Played:
    """The outputs that the inputs must have given."""

    handsets: dict[str, Handset] = field(default_factory=lambda: defaultdict(Handset))
    passes: dict[str, bool] = field(default_factory=dict)  # request -> whether it becomes a command


def play(topics: Topics) -> Played:
    """Play mo-raw before mt-request at the same broker time, one partition after another."""
    played = Played()
    ranked = [(0, entry) for entry in topics["mo-raw"]] + [(1, e) for e in topics["mt-request"]]
    ranked.sort(key=lambda item: (item[1].partition, item[1].timestamp, item[0], item[1].offset))
    for rank, entry in ranked:
        record = entry.record
        if rank == 0:
            part = Part.from_query(record.query)
            received = int(record.received_at.timestamp())
            played.handsets[part.handset].take(part, entry.place, received)
        else:
            handset = played.handsets[record.to.removeprefix("+")]
            played.passes.setdefault(record.request_id, not handset.is_stopped)
    return played


def check(topics: Topics, sent: Sent, rows: Mapping[str, Counter[str]]) -> Findings:
    """Every finding. `rows` are ClickHouse's, in the form that `rows_of` gives a topic's."""
    findings = Findings()
    played = play(topics)
    _check_inputs(findings, topics, sent)
    _check_parts(findings, topics["mo-part"], played)
    _check_messages(findings, topics["mo-message"], played)
    _check_decisions(findings, topics, played, sent)
    _check_consent(findings, topics["consent-change"], played)
    for entry in topics["dead-letter"]:
        findings.add("wrong", f"dead letter of {entry.record.topic}: {entry.record.words}")
    for topic in ID_OF:
        _check_rows(findings, topic, rows_of(topic, topics[topic]), rows[topic])
    return findings


def rows_of(topic: str, entries: Iterable[Entry]) -> Counter[str]:
    """Each record as its place and id."""
    name = ID_OF[topic]
    return Counter(f"{e.place} {getattr(e.record, name) if name else ''}" for e in entries)


def _check_inputs(findings: Findings, topics: Topics, sent: Sent) -> None:
    ids = {Part.from_query(entry.record.query).mo_msg_id for entry in topics["mo-raw"]}
    for mo_msg_id in sent.acknowledged - ids:
        findings.add("lost", f"acknowledged and not in mo-raw: {mo_msg_id}")
    asked = {entry.record.request_id for entry in topics["mt-request"]}
    for request_id in sent.requests - asked:
        findings.add("lost", f"acknowledged and not in mt-request: {request_id}")


def _check_parts(findings: Findings, entries: Iterable[Entry], played: Played) -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        part = entry.record
        found[part.handset].append(f"{part.raw_partition}/{part.raw_offset}")
    for handset in played.handsets.keys() | found.keys():
        expected = played.handsets[handset].parts
        _compare(findings, f"part of {handset}", expected, found[handset])


def _check_messages(findings: Findings, entries: Iterable[Entry], played: Played) -> None:
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for entry in entries:
        message = entry.record
        found[message.handset].append(tuple(message.mo_msg_ids))
        texts = {m.mo_msg_ids: m.text for m in played.handsets[message.handset].messages}
        text = texts.get(tuple(message.mo_msg_ids))
        if text is not None and (text != message.text or not message.complete or message.lossy):
            findings.add(
                "wrong", f"message {message.message_id} has {message.text!r}, not {text!r}"
            )
    for handset in played.handsets.keys() | found.keys():
        expected = [message.mo_msg_ids for message in played.handsets[handset].messages]
        _compare(findings, f"message of {handset}", expected, found[handset])


def _compare(findings: Findings, what: str, expected: Sequence[Any], found: Sequence[Any]) -> None:
    """Report records that are missing, doubled, unexpected or in another order."""
    place = {item: number for number, item in enumerate(expected)}
    counts = Counter(found)
    for item in place.keys() - counts.keys():
        findings.add("lost", f"{what}: {item}")
    for item, count in counts.items():
        if item not in place:
            findings.add("wrong", f"{what} that nothing gave: {item}")
        elif count > 1:
            findings.add("doubled", f"{what}, {count} times: {item}")
    order = [place[item] for item in dict.fromkeys(found) if item in place]
    for earlier, later in pairwise(order):
        if earlier > later:
            findings.add("out of order", f"{what}: {expected[later]} after {expected[earlier]}")


def _check_decisions(findings: Findings, topics: Topics, played: Played, sent: Sent) -> None:
    commands = Counter(entry.record.request_id for entry in topics["mt-command"])
    # Of a command that waited, as a stop or its time came, is no decision about its request.
    refused = [entry for entry in topics["mt-rejection"] if not entry.record.command_id]
    rejections = Counter(entry.record.request_id for entry in refused)
    for request_id in sorted(sent.must_be_refused & commands.keys()):
        findings.add("sent after a stop", f"request {request_id} came after an acknowledged STOP")
    for request_id in (commands.keys() | rejections.keys()) - played.passes.keys():
        findings.add("wrong", f"a decision nobody asked for: {request_id}")
    for request_id, passes in played.passes.items():
        decisions = commands[request_id] + rejections[request_id]
        if decisions == 0:
            findings.add("lost", f"request {request_id} was never decided")
        elif decisions > 1:
            findings.add("doubled", f"request {request_id} was decided {decisions} times")
        elif bool(commands[request_id]) != passes:
            findings.add("wrong", f"request {request_id} {'passes' if passes else 'is refused'}")
    for entry in refused:
        if entry.record.rule != "opted-out":
            findings.add("wrong", f"request {entry.record.request_id}: {entry.record.rule}")


def _check_consent(findings: Findings, entries: Iterable[Entry], played: Played) -> None:
    newest: dict[str, Any] = {}
    ids: Counter[str] = Counter()
    for entry in entries:
        change = entry.record
        ids[change.change_id] += 1
        known = newest.setdefault(change.handset, change)
        if (change.at, change.recorded_at) > (known.at, known.recorded_at):
            newest[change.handset] = change
    for change_id, count in ids.items():
        if count > 1:
            findings.add("doubled", f"consent change {change_id}, {count} times")
    for handset in played.handsets.keys() | newest.keys():
        is_stopped = handset in newest and newest[handset].state != "open"
        if is_stopped != played.handsets[handset].is_stopped:
            findings.add("wrong", f"consent of {handset}: stopped is {is_stopped}")


def _check_rows(
    findings: Findings, topic: str, expected: Counter[str], found: Counter[str]
) -> None:
    for row, count in (expected - found).items():
        findings.add("rows that differ", f"{topic} {row}: {count} missing in ClickHouse")
    for row, count in (found - expected).items():
        findings.add("rows that differ", f"{topic} {row}: {count} too many in ClickHouse")
