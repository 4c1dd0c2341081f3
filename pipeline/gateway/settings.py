"""The settings of the stand-in; everything but the home has a default."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pipeline.gateway.rented import Rented

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
#: A number is linked with one API (guide 8.1), whichever way its messages are handed over by.
LINKED_API: Final = API_IDS["http"]


class MoWay(StrEnum):
    """How a handset's message is handed over (guide 8.3)."""

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
    """A port of 0 is any free port; `product` is where ingest listens."""

    home: Path
    product: str = "http://127.0.0.1:8080"
    token: str = ""  # of ingest; none is needed on this machine
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
    rented: Rented = field(default_factory=Rented)
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

    @property
    def callbacks(self) -> str:
        """Where messages and statuses are pushed to; with the token, and so for no log."""
        return f"{self.product}/t/{quote(self.token, safe='')}" if self.token else self.product

    @property
    def reached_at(self) -> str:
        """An address at which this machine reaches it."""
        return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
