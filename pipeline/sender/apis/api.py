"""`apis.toml`: the gateway's APIs by which commands are sent, and how each is reached.

Only the sender reads the file. The file says where each password is, and holds none itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class WayName(StrEnum):
    """The ways out (G5)."""

    HTTP = "http"
    XML = "xml"
    SOAP = "soap"
    SMPP = "smpp"
    SMTP = "smtp"
    FTP = "ftp"


#: Calls under way at a time. By SMTP and FTP a command takes several answers of the server, one
#: after the other. A killed sender leaves at most twice as many commands unknown: as many again may
#: have their permit and wait for their call (`desk.py`).
WINDOWS: Final = {
    WayName.HTTP: 50,
    WayName.XML: 50,
    WayName.SOAP: 50,
    WayName.SMPP: 100,
    WayName.SMTP: 30,
    WayName.FTP: 24,
}


class UnusableApi(ValueError):
    """Nothing can be sent by an API as it is described; the words say why, and hold no secret."""


@dataclass(frozen=True, kw_only=True)
class Api:
    """One API of the gateway. Times are seconds, rates parts a second."""

    api_id: str
    way: WayName
    url: str = ""  # of http, xml and soap: the whole address of the gateway, without a path
    host: str = ""  # of smpp, smtp and ftp
    port: int = 0
    user: str = ""
    password: str = ""
    rate: float = 0.0  # 0: no limit
    window: int = 0  # submissions under way at a time; 0: the way's own
    timeout_seconds: float = 30.0
    callback: int = 7  # which statuses the gateway pushes (0 to 7)
    tls: str = "on"  # on, off (loopback only), plain
    ca: str = ""  # file of the authority's certificate; empty: the system's
    max_parts: int = 3
    req_feat: int = 0  # 0: not said
    alphabet: str = "gsm7"  # of smpp: gsm7 or latin1, what data_coding 0 means
    mail_to: str = ""  # of smtp: where mails go
    mail_from: str = ""
    #: Of smtp and ftp: what the server itself asks for. The gateway's FTP server takes the API's
    #: number, which is the default, and a password of its own; a mail server may ask for neither.
    login_user: str = ""
    login_password: str = ""
    folder: str = ""  # of ftp: where files go
    temporary: str = "suffix"  # of ftp: suffix, folder or none
    query_by: str = ""  # the api_id by which unknown results are asked about; none of smpp
    is_default: bool = False  # for commands that name no API
