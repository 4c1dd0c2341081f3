"""The settings of the stand-in; each has a default, except the home."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pipeline.gateway.rented import Rented

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: The api_id of each way to send: at Clickatell an API serves one way only.
API_IDS: Final[Mapping[str, str]] = {
    "http": "10001",
    "xml": "10002",
    "soap": "10003",
    "smpp": "10004",
    "smtp": "10005",
    "ftp": "10006",
}
#: The API that numbers are linked with (guide 8.1); it is the same for every way of handing over.
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
    """The settings; a port of 0 is any free port, and `product` is the URL of ingest."""

    home: Path
    product: str = "http://127.0.0.1:8080"
    token: str = ""  # ingest's token in the path; ingest needs none from this machine
    host: str = "127.0.0.1"
    host_names: tuple[str, ...] = ()  # further names of this machine that clients may use
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
    custom_replies: Mapping[str, str] = field(default_factory=dict)  # by word, for every number
    replies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by number and word
    credits: float = 1_000.0
    gateway_seconds: float = 0.5  # from 008 to 003
    handset_seconds: float = 1.5  # from 003 to 004
    folder_seconds: float = 60.0  # between two reads of the uploaded files
    hang_seconds: float = 60.0
    seed: int = 1
    faults: Path | None = None  # file of rules; None: faults.toml in the home, if there is one

    @property
    def callbacks(self) -> str:
        """The URL that messages and statuses are pushed to; it has the token: never log it."""
        return f"{self.product}/t/{quote(self.token, safe='')}" if self.token else self.product

    @property
    def reached_at(self) -> str:
        """An address at which this machine reaches the stand-in."""
        return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
