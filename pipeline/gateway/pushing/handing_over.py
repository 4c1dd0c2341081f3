"""Hands a handset's message over to the product, by the way of its number (guide 8.3)."""

from __future__ import annotations

from datetime import timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import structs

from pipeline.gateway.account.account import MO_CREDITS
from pipeline.gateway.faults.kinds import Group
from pipeline.gateway.pushing.retries import MO_RETRIES
from pipeline.gateway.pushing.texting import BINARY, LATIN, UTF_16, parts_of
from pipeline.gateway.settings import LINKED_API, MoWay
from pipeline.gateway.world import EventKind
from pipeline.sms.charset import text_from_octets
from pipeline.wire import http_form, mo_log, soap, xml
from pipeline.wire.callback import MoCallback
from pipeline.wire.percent import percent_from_octets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.gateway.ground import Ground

GATEWAY_ZONE: Final = timezone(timedelta(hours=2))  # guide 8.3.1: GMT + 0200
LATE_MINUTES: Final = 60.0


class HandingOver:
    """Every part is tried at once, and again on the guide's schedule."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway

    async def text(
        self,
        handset: str,
        number: str,
        text: str,
        charset: str | None,
        ways: Sequence[MoWay] = (),
    ) -> list[str]:
        """Hand over each part of a text; their ids. Returns after the first attempt of each.

        `ways` are those of this text alone: each part goes by each of them.
        """
        gateway = self._gateway
        parts = parts_of(text, charset)
        ids = [part.mo_msg_id for part in parts]
        gateway.world.happen(
            EventKind.TEXTED,
            handset=handset,
            sender_id=number,
            text=text,
            message_id=ids[0],
            facts={"parts": len(parts), "charset": parts[0].charset, "ids": ids},
        )
        usual = gateway.settings.mo_ways.get(number, gateway.settings.mo_way)
        handed = tuple(ways) or (usual,)
        rule = gateway.meet(Group.HANDSET, handed[0].value, handset)
        fault = rule.name if rule else ""
        late = timedelta(minutes=LATE_MINUTES if not rule or rule.minutes is None else rule.minutes)
        at = gateway.clock.now().astimezone(GATEWAY_ZONE).strftime("%Y-%m-%d %H:%M:%S")
        callbacks = [
            MoCallback(
                handset=handset,
                number=number,
                api_id=LINKED_API,
                mo_msg_id=part.mo_msg_id,
                timestamp=at,
                charset=part.charset,
                udh=part.udh,
                octets=part.octets,
            )
            for part in parts
        ]
        for callback in _as_the_fault_has_them(callbacks, fault):
            gateway.account.charge(MO_CREDITS, "MO")
            for way in handed:
                job = partial(self._attempt, way, callback, 0)
                if fault == "mo-late":
                    gateway.schedule.later(late, job)
                else:
                    await job()
        return ids

    async def _attempt(self, way: MoWay, callback: MoCallback, failures: int) -> None:
        gateway = self._gateway
        code, sent, answer = await self._hand_over(way, callback)
        gateway.world.happen(
            EventKind.HANDED_OVER,
            way=way.value,
            handset=callback.handset,
            sender_id=callback.number,
            text="" if callback.charset == BINARY else _text_of(callback),
            message_id=callback.mo_msg_id,
            facts={"answer": code, "attempt": failures + 1, "udh": callback.udh},
            sent=sent,
            received=answer,
        )
        if code != 200 and failures < len(MO_RETRIES):
            again = partial(self._attempt, way, callback, failures + 1)
            gateway.schedule.later(MO_RETRIES[failures], again)

    async def _hand_over(self, way: MoWay, callback: MoCallback) -> tuple[int, bytes, bytes]:
        """The status of HTTP, or 200 where another way took it; what was sent; the answer."""
        gateway = self._gateway
        match way:
            case MoWay.REPORTS:
                return 200, b"", b""
            case MoWay.SMPP:
                return await gateway.smpp.deliver(callback)
            case MoWay.FTP:
                line = mo_log.render(callback) + b"\n"
                gateway.ftp.append(line)
                return 200, line, b""
        kind, _, method = way.value.partition("-")
        octets = _octets(kind, callback)
        url = f"{gateway.settings.callbacks}/mo/{kind}"
        code, answer = await gateway.post.call(method.upper(), url, octets)
        return code, octets, answer


def _octets(kind: str, callback: MoCallback) -> bytes:
    if kind == "http":
        return http_form.render(callback)
    render: Callable[[MoCallback], bytes | None] = (xml if kind == "xml" else soap).render
    rendered = render(callback)
    if rendered is None:  # XML lacks a character: the octets go in hex
        rendered = render(structs.replace(callback, charset=BINARY)) or b"data="
    name, _, document = rendered.partition(b"=")
    return name + b"=" + percent_from_octets(document)


def _as_the_fault_has_them(callbacks: list[MoCallback], fault: str) -> list[MoCallback]:
    match fault:
        case "mo-twice":
            return [each for callback in callbacks for each in (callback, callback)]
        case "mo-disorder":
            return callbacks[::-1]
        case "mo-split" if len(callbacks) > 1:
            return callbacks[:-1]
        case "mo-charset":
            return [_of_another_charset(callback) for callback in callbacks]
    return callbacks


def _text_of(callback: MoCallback) -> str:
    return text_from_octets(callback.octets, callback.charset)[0]


def _of_another_charset(callback: MoCallback) -> MoCallback:
    return structs.replace(callback, charset=LATIN if callback.charset == UTF_16 else UTF_16)
