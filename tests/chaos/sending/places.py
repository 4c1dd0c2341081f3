"""Names, numbers and passwords that the run, the stack and the gateway share."""

from __future__ import annotations

from typing import Final

from pipeline.sender.apis.api import WayName

ARRIVED: Final = "arrived.jsonl"
PORTS: Final = "ports.json"
USER: Final = "customer"
PASSWORD: Final = "hush4711"  # SMPP takes eight characters
FTP_USER: Final = "uploader"
FTP_PASSWORD: Final = "files-31337-hush"
#: One number of ours a way: its digits say which API its commands go by.
NUMBERS: Final = {way.value: f"44770090010{digit}" for digit, way in enumerate(WayName, start=1)}
WAY_OF: Final = {number: way for way, number in NUMBERS.items()}
API_IDS: Final = {way: f"100{digit}" for digit, way in enumerate(NUMBERS, start=1)}
TIMEOUT_SECONDS: Final = 4


def numbers_toml() -> str:
    """`numbers.toml` of the run."""
    return "".join(
        f'[[number]]\nnumber = "{number}"\nkind = "vmn"\napi_id = "{API_IDS[way]}"\n'
        for way, number in NUMBERS.items()
    )


def apis_toml(ports: dict[str, int]) -> str:
    """`apis.toml` of the run; APIs that answer no queries have their messages queried by HTTP."""
    return "".join(_table(way, api_id, ports[way]) for way, api_id in API_IDS.items())


def _table(way: str, api_id: str, port: int) -> str:
    fields: dict[str, object] = {
        "api_id": api_id,
        "way": way,
        "user": USER,
        "password": PASSWORD,
        "tls": "off",
        "timeout_seconds": TIMEOUT_SECONDS,
    }
    if way in ("http", "xml", "soap"):
        fields["url"] = f"http://127.0.0.1:{port}"
    else:
        fields |= {"host": "127.0.0.1", "port": port}
    if way in ("smtp", "ftp"):
        fields["query_by"] = API_IDS["http"]
    match way:
        case "smtp":
            fields |= {"mail_to": "sms@messaging.example.com", "mail_from": "two@example.com"}
        case "ftp":
            fields |= {"login_user": FTP_USER, "login_password": FTP_PASSWORD}
        case "smpp":
            fields["alphabet"] = "latin1"
        case "http":
            fields["default"] = True
    lines = (f"{name} = {_toml(value)}\n" for name, value in fields.items())
    return "[[api]]\n" + "".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
