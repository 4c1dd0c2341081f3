"""Writes the stand-in's addresses and the product's `apis.toml` into the home."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.gateway.settings import API_IDS
from pipeline.home.holding import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.gateway.settings import GatewaySettings

WHERE: Final = "gateway.json"
APIS: Final = "apis.toml"
_HEAD: Final = "# Written by `twoway gateway`, at each start: an API a way, of the stand-in."
_MAILS: Final = 'mail_to = "sms@messaging.clickatell.com"\nmail_from = "two-way@stand-in.invalid"\n'


def write_where(home: Path, urls: Mapping[str, str]) -> None:
    """Write the address of each way, for the commands, to `gateway.json`."""
    write_atomically(home / WHERE, json.dumps(dict(urls)) + "\n")


def where(home: Path) -> dict[str, str]:
    """The address of each way of the stand-in; empty while none runs."""
    file = home / WHERE
    return dict(json.loads(file.read_text())) if file.is_file() else {}


def write_apis(home: Path, settings: GatewaySettings, urls: Mapping[str, str]) -> bool:
    """Write `apis.toml`, mode 0600, but not over a user's file; return whether it was written."""
    file = home / APIS
    if file.is_file() and not file.read_text().startswith(_HEAD):
        return False
    draft = home / f"{APIS}.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as apis:
        tables = (_table(way, settings, urls) for way in API_IDS)
        apis.write("\n".join((f"{_HEAD}\n", *tables)))
    draft.replace(file)
    return True


def _table(way: str, settings: GatewaySettings, urls: Mapping[str, str]) -> str:
    head = f'[[api]]\napi_id = {API_IDS[way]}\nway = "{way}"\ntls = "off"\n'
    login = f"user = {json.dumps(settings.user)}\npassword = {json.dumps(settings.password)}\n"
    if way in ("http", "xml", "soap"):
        base = f"http://{urlsplit(urls['http']).netloc}"
        default = "default = true\n" if way == "http" else ""
        return f'{head}{login}url = "{base}"\n{default}'
    host, _, port = urls[way].partition("://")[2].rpartition(":")
    more = {
        "smtp": _MAILS,
        "ftp": f"login_password = {json.dumps(settings.password)}\n",
    }.get(way, "")
    return f'{head}{login}host = "{host}"\nport = {port}\n{more}'
