"""The texts of handsets and the requests of the application, by a seed: one script a handset."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

STOPS: Final = ("STOP", "stop", "Quit!", "END", " Unsubscribe.", "cancel")
TEXTS: Final = ("please do not stop", "Two £5 tickets, señor", "yes", "where is my parcel?", "ok")
LONG: Final = "This is part of a text too long for one message. "
WIDE: Final = "طلبي \U0001f600 شكرا "  # its parts are cut anywhere, through surrogate pairs too
LATE_SECONDS: Final = 1_500  # a retry may come late: gateway times are up to this old


@dataclass(frozen=True, kw_only=True)
class Say:
    """One part. `late`: how many seconds ago the gateway received it."""

    mo_msg_id: str
    octets: bytes
    late: int
    charset: str = "ISO-8859-1"
    udh: str = ""

    @property
    def is_stop(self) -> bool:
        """Whether it is a stop message."""
        return self.octets.decode("latin-1") in STOPS


@dataclass(frozen=True)
class Repeat:
    """The gateway delivers a part again, unchanged."""

    mo_msg_id: str


@dataclass(frozen=True)
class Ask:
    """The application asks for an MT to this handset."""

    request_id: str


Step = Say | Repeat | Ask


@dataclass
class Script:
    """The steps of one handset. `over_http`: by ingest, otherwise straight to Kafka."""

    handset: str
    over_http: bool
    steps: list[Step] = field(default_factory=list)


def scripts(count: int, *, seed: int, over_http: float = 0.5) -> Iterator[Script]:
    """Scripts with about `count` steps in all."""
    rng = random.Random(seed)
    planned = number = 0
    while planned < count:
        number += 1
        script = Script(f"4478{number:08d}", over_http=rng.random() < over_http)
        script.steps = _steps(rng, script.handset, rng.randint(6, 24))
        planned += len(script.steps)
        yield script


def _steps(rng: random.Random, handset: str, length: int) -> list[Step]:
    steps: list[Step] = []
    reference = rng.randrange(256)
    while len(steps) < length:
        tag = f"{handset}{len(steps):04d}"
        late = rng.choice((0, 0, 0, rng.randrange(LATE_SECONDS)))
        match rng.choices(("text", "stop", "long", "ask", "repeat"), (35, 12, 10, 28, 8))[0]:
            case "text":
                words = f"{rng.choice(TEXTS)} {tag}".encode("latin-1")
                steps.append(Say(mo_msg_id=tag, octets=words, late=late))
            case "stop":
                words = rng.choice(STOPS).encode()
                steps.append(Say(mo_msg_id=tag, octets=words, late=late))
            case "long":
                reference += 1
                _spread(rng, steps, _parts(rng, tag, reference % 256, late))
            case "ask":
                steps.append(Ask(f"{tag}ask"))
            case "repeat":
                said = [step.mo_msg_id for step in steps if isinstance(step, Say)]
                steps += [Repeat(rng.choice(said))] if said else []
    return steps


def _parts(rng: random.Random, tag: str, reference: int, late: int) -> list[Say]:
    """A text in two to four parts, in any order; sometimes one of them never comes."""
    total = rng.randint(2, 4)
    wide = rng.random() < 0.4
    text = WIDE * total if wide else f"{LONG * total}{tag}"
    octets = text.encode("utf-16-be") if wide else text.encode()
    unit = 2 if wide else 1
    cuts = sorted(rng.sample(range(unit, len(octets), unit), total - 1))
    ends = [0, *cuts, len(octets)]
    header = f"050003{reference:02X}" if rng.random() < 0.5 else f"06080404{reference:02X}"
    parts = [
        Say(
            mo_msg_id=f"{tag}-{number}",
            octets=octets[ends[number - 1] : ends[number]],
            late=late,
            charset="UTF-16BE" if wide else "ISO-8859-1",
            udh=f"{header}{total:02X}{number:02X}",
        )
        for number in range(1, total + 1)
    ]
    rng.shuffle(parts)
    return parts[1:] if rng.random() < 0.05 else parts


def _spread(rng: random.Random, steps: list[Step], parts: list[Say]) -> None:
    """Append the parts, and put some of them among the last steps."""
    for part in parts:
        steps.insert(len(steps) - min(rng.choice((0, 0, 1, 2)), len(steps)), part)
