"""bind_transmitter, bind_receiver and bind_transceiver (SMPP 3.4 4.1), parse and render."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.wire.smpp.octets import c_string, c_string_at

INTERFACE_VERSION: Final = 0x34
_LONGEST: Final = {"system_id": 15, "password": 8, "system_type": 12}  # SMPP 3.4 5.2.1 to 5.2.3


class Bind(msgspec.Struct, frozen=True, kw_only=True):
    """The values we bind with. The gateway decides about an address range."""

    system_id: str
    password: str
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


def fault_of(bind: Bind) -> str:
    """The first field that cannot be sent, without its value; empty when all can be sent."""
    for name, longest in _LONGEST.items():
        text = getattr(bind, name)
        if len(text) > longest or not text.isascii() or "\0" in text:
            return f"{name} must be at most {longest} ASCII characters (SMPP 3.4 5.2)"
    return ""


def render(bind: Bind) -> bytes:
    """The body on the wire."""
    return b"".join(
        (
            c_string(bind.system_id),
            c_string(bind.password),
            c_string(bind.system_type),
            bytes((bind.interface_version, bind.addr_ton, bind.addr_npi)),
            c_string(bind.address_range),
        )
    )


def parse(body: bytes) -> Bind | None:
    """The values in a body; None when it is not the body of a bind."""
    texts: list[str] = []
    at = 0
    for _ in range(3):
        found = c_string_at(body, at)
        if found is None:
            return None
        text, at = found
        texts.append(text)
    numbers = body[at : at + 3]
    address_range = c_string_at(body, at + 3)
    if len(numbers) < 3 or address_range is None:
        return None
    return Bind(
        system_id=texts[0],
        password=texts[1],
        system_type=texts[2],
        interface_version=numbers[0],
        addr_ton=numbers[1],
        addr_npi=numbers[2],
        address_range=address_range[0],
    )
