"""A gateway in memory with a fixed script: every case that the page must be able to show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.gateway.page.seam import Switch
from pipeline.gateway.world import EventKind, World, WorldEvent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NUMBER = "447700900999"
ALICE, BOB, CARLA, DORA = "447700900001", "447700900002", "35699900003", "201000900004"
MARKUP = (
    '<script>alert(1)</script><img src=x onerror="alert(2)"></li></ol>'
    "<style>*{display:none}</style>"
)
OVERRIDE = "Pay \u202e99.9 EUR\u202c now\u2066"
SUBMISSION = (
    b"POST /http/sendmsg HTTP/1.1\r\nHost: 127.0.0.1:8090\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 118\r\n\r\n"
    b"session_id=5f3c&to=447700900001&from=447700900999&mo=1"
    b"&text=Your+parcel+is+here.&callback=7&cliMsgId=6f1e2d3c4b5a"
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 36\r\n\r\n"
    b"ID: 205e85d0578314037a96175249fc6a2b"
)
SUBMIT_SM = bytes.fromhex(
    "0000004f00000004000000000000000200010134343737303039303039393900010134343737303039303030303200"
    "00000000000001000800100048006900200064007e3d8d"
)


class Lively:
    """The parts of a gateway that the page uses, in memory."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
        self.world = World(self.now)
        self.desk = [ALICE, BOB]
        self.texted: list[tuple[str, str, str]] = []
        self.on = {"lose-answer"}
        self.credit = 93.5

    def now(self) -> datetime:
        return self.time

    def phones(self) -> Sequence[str]:
        return self.desk

    def add_phone(self, handset: str) -> None:
        if handset not in self.desk:
            self.desk.append(handset)

    def numbers(self) -> Sequence[str]:
        return [NUMBER, "88802"]

    async def text(self, handset: str, number: str, text: str) -> None:
        self.add_phone(handset)
        self.texted.append((handset, number, text))
        message_id = f"mo{len(self.texted)}"
        self.happen(EventKind.TEXTED, handset, text, sender_id=number, message_id=message_id)

    def switches(self) -> Sequence[Switch]:
        faults = [
            ("lose-answer", "Takes the message, and closes without an answer.", "MT: the answer"),
            ("hang", "Takes the message, and answers after a minute.", "MT: the answer"),
            ("huge", "Answers with 10 MB.", "MT: the answer"),
            ("html", "Answers with a page of a proxy: 200 and HTML.", "MT: the answer"),
            ("throttle", "Refuses with ERR 130 for half a minute.", "MT: refusals"),
            ("status-never", "Pushes no status.", "Statuses"),
            ("status-twice", "Pushes each status twice.", "Statuses"),
            ("mo-twice", "Hands each MO over twice.", "MO"),
            ("mo-late", "Hands each MO over after two minutes.", "MO"),
        ]
        return [
            Switch(name, about, name in self.on, 3 * (name in self.on), group, "279991000001")
            for name, about, group in faults
        ]

    def rules(self) -> Sequence[str]:
        return ["cut-answer way=http handset=4477* nth=3", "hang seconds=5"]

    def switch(self, name: str, *, is_on: bool) -> None:
        if name not in {switch.name for switch in self.switches()}:
            raise KeyError(name)
        (self.on.add if is_on else self.on.discard)(name)

    def account(self) -> Mapping[str, str]:
        return {
            "Credit": f"{self.credit:.2f}",
            "API": "3155",
            "User": "twoway",
            "Sessions open": "2",
            "MO is handed over to": "http://127.0.0.1:8080/mo/http",
            "Statuses are pushed to": "http://127.0.0.1:8080/status/http",
        }

    def consent_of(self, handset: str) -> Mapping[str, str]:
        return {BOB: {NUMBER: "stopped"}, CARLA: {NUMBER: "confirmation-due"}}.get(
            handset, {NUMBER: "open"}
        )

    def happen(self, kind: EventKind, handset: str, text: str = "", **fields: Any) -> WorldEvent:
        self.time += timedelta(seconds=fields.pop("after", 3))
        return self.world.happen(kind, handset=handset, text=text, **fields)

    def mt(
        self, handset: str, text: str, *, status: str = "004", way: str = "http", **more: Any
    ) -> None:
        message_id = f"mt{len(self.world.events)}"
        known = {"sender_id": NUMBER, "message_id": message_id} | more
        octets = (SUBMIT_SM, SUBMIT_SM[:16]) if way == "smpp" else (SUBMISSION, ANSWER)
        self.happen(
            EventKind.SUBMITTED,
            handset,
            text,
            way=way,
            received=octets[0],
            sent=octets[1],
            client_id="6f1e2d3c4b5a",
            **known,
        )
        if status == "004":
            self.happen(EventKind.SHOWN, handset, text, **known)
        facts = {"status": status, "answer": 200, **more.get("facts", {})}
        known = {**known, "facts": facts}
        self.happen(
            EventKind.STATUS,
            handset,
            way=way,
            sent=b"GET /status/http?status=" + status.encode() + b" HTTP/1.1\r\n\r\n",
            received=b"HTTP/1.1 200 OK\r\n\r\n",
            **known,
        )
        self.credit -= 0.5

    def mo(
        self, handset: str, text: str, *, answer: str = "200", way: str = "http", **more: Any
    ) -> None:
        message_id = f"mo{len(self.world.events)}"
        self.happen(
            EventKind.TEXTED, handset, text, sender_id=NUMBER, message_id=message_id, **more
        )
        facts = {"answer": answer, "attempt": 1 if answer == "200" else 2}
        asked = f"GET /mo/http?from={handset}&text=hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        said = f"HTTP/1.1 {answer} OK\r\nContent-Length: 0\r\n\r\n" if answer else ""
        self.happen(
            EventKind.HANDED_OVER,
            handset,
            text,
            way=way,
            sender_id=NUMBER,
            message_id=message_id,
            facts=facts,
            sent=asked.encode(),
            received=said.encode(),
        )


def lively() -> Lively:
    """A gateway that has played the whole script."""
    desk = Lively()
    desk.mt(ALICE, "Your parcel is here. Reply YES to have it brought today, or STOP.")
    desk.mo(
        ALICE,
        "Yes please! \U0001f44b\U0001f3fd Is before 6 pm fine?"
        " \U0001f468\u200d\U0001f469\u200d\U0001f467",
    )
    desk.mt(
        ALICE,
        "It is. " + "We ring at the door, and wait for two minutes. " * 9,
        facts={"parts": 3, "encoding": "GSM 7-bit"},
    )
    desk.mo(
        ALICE,
        "\u0634\u0643\u0631\u0627\u060c \u0623\u0631\u0627\u0643"
        " \u0644\u0627\u062d\u0642\u0627 (ref 42)!",
        facts={"parts": 1, "encoding": "UCS-2"},
    )
    desk.happen(
        EventKind.FAULT, ALICE, facts={"fault": "lose-answer"}, way="http", received=SUBMISSION
    )
    desk.mt(BOB, "Our offer of the week: two for one.", sender_id="SHOP", status="007")
    desk.mo(BOB, MARKUP)
    desk.mo(BOB, "Nul\0here\x1b[31m red\x9b, " + OVERRIDE, answer="503")
    desk.mo(BOB, "STOP")
    desk.happen(
        EventKind.CONSENT,
        BOB,
        sender_id=NUMBER,
        facts={"states": {NUMBER: "stopped"}, "why": "the handset sent STOP"},
    )
    desk.happen(
        EventKind.REFUSED,
        BOB, "One more offer", way="http", sender_id=NUMBER, facts={"code": "122"},
        received=SUBMISSION, sent=b"HTTP/1.1 200 OK\r\n\r\nERR: 122, Destination mobile opted out",
    )  # fmt: skip
    desk.mt(
        CARLA,
        "Te\u017ct twil: " + "kul\u0127add jismag\u0127 \U0001f33b " * 1_000,
        facts={"parts": 255, "encoding": "UCS-2"},
    )
    desk.mo(
        CARLA,
        "Z\u0335\u0321\u0322" + "\u0310\u0311\u0312\u0313\u0314" * 12 + "algo \ud83d half a pair",
        way="soap",
    )
    desk.mt(CARLA, "Binary \x01\x02\x03\x7f", way="smpp", facts={"parts": 1, "encoding": "8-bit"})
    desk.mt(CARLA, "Is waiting at the network.", status="003", way="xml")
    desk.mo(CARLA, "W" * 300, answer="", way="http")
    desk.mo(DORA, "", way="smpp")
    desk.mt(DORA, "Hello. You wrote nothing?", sender_id="88802")
    return desk
