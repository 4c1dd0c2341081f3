"""What the stand-in is told at its start; all has a default but the home."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The API of each way to send by: a connection of Clickatell's is for one way alone.
API_IDS: Final[Mapping[str, str]] = {
    "http": "10001",
    "xml": "10002",
    "soap": "10003",
    "smpp": "10004",
    "smtp": "10005",
    "ftp": "10006",
}


class MoWay(StrEnum):
    """How a message of a handset is handed over (guide 8.3)."""

    HTTP_GET = "http-get"
    HTTP_POST = "http-post"
    XML_GET = "xml-get"
    XML_POST = "xml-post"
    SOAP_GET = "soap-get"
    SOAP_POST = "soap-post"
    SMPP = "smpp"
    FTP = "ftp"
    REPORTS = "reports"  # online reports only: nothing is handed over


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """Ports of 0 are any free one; `product` is where ingest listens."""

    home: Path
    product: str = "http://127.0.0.1:8080"
    host: str = "127.0.0.1"
    host_names: tuple[str, ...] = ()  # by which clients may call, beside those of this machine
    http_port: int = 0
    https_port: int = 0
    smpp_port: int = 0
    smpps_port: int = 0
    smtp_port: int = 0
    ftp_port: int = 0
    user: str = "demo"
    password: str = "stand-in"  # noqa: S105 - of a gateway that sends no SMS
    numbers: tuple[str, ...] = ("447700900999",)
    short_codes: tuple[str, ...] = ()
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by shared short code
    premium: frozenset[str] = frozenset()  # MO-rated: no stop rule applies (guide 7.1.1)
    linked: Mapping[str, str] = field(default_factory=dict)  # by MT short code: who speaks for it
    default_number: str = "447700900000"
    mo_way: MoWay = MoWay.HTTP_GET
    mo_ways: Mapping[str, MoWay] = field(default_factory=dict)
    custom_replies: Mapping[str, str] = field(default_factory=dict)  # by word, of every number
    replies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of one, in their place
    credits: float = 1_000.0
    gateway_seconds: float = 0.5  # until 003
    handset_seconds: float = 1.5  # until 004
    folder_seconds: float = 60.0  # between two looks at uploaded files
    hang_seconds: float = 60.0
    seed: int = 1
    faults: Path | None = None  # the file of rules; none: faults.toml in the home, if it is there
