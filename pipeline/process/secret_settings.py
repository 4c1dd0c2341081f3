"""The secret settings, and which processes need each. Other processes do not get it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

#: The processes that have clients of Kafka.
_OF_KAFKA: Final = frozenset(
    {"ingest", "smpp", "ftp", "worker", "sender", "deliver", "accounts", "store"}
)
#: Each secret setting, with the processes that need it.
NEEDED_BY: Final[dict[str, frozenset[str]]] = {
    "tokens": frozenset({"ingest", "store"}),
    "basic_auth": frozenset({"ingest", "store"}),
    "smpp_password": frozenset({"smpp"}),
    "ftp_password": frozenset({"ftp"}),
    "report_oidc_secret": frozenset({"store"}),
    "notify_smtp_password": frozenset({"sender"}),
    "clickhouse": frozenset({"store"}),  # the URL may hold a password
    "clickhouse_password": frozenset({"store"}),
    "kafka_sasl_password": _OF_KAFKA,
    "kafka_sasl_oauthbearer_client_secret": _OF_KAFKA,
    "kafka_ssl_key_password": _OF_KAFKA,
    "kafka_reader_password": frozenset({"topics"}),
}
#: Those that are one secret each, and no list or URL.
_WHOLE: Final = tuple(sorted(set(NEEDED_BY) - {"tokens", "basic_auth", "clickhouse"}))


def settings_of(settings: Settings, process: str) -> Settings:
    """The settings for a process, without the secrets that only other processes need."""
    others = {name: "" for name, processes in NEEDED_BY.items() if process not in processes}
    return replace(settings, **others)  # type: ignore[arg-type]


def secrets_as_lines(settings: Settings) -> str:
    """The secret settings that are set, as lines of TOML for `secrets_file`."""
    found = {name: text for name in NEEDED_BY if (text := getattr(settings, name))}
    return "".join(f"{name} = {_toml_string(text)}\n" for name, text in found.items())


def _toml_string(text: str) -> str:
    """A basic string of TOML 1.0. It is the same as in JSON, except for U+007F."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def secrets_of(settings: Settings) -> Iterator[str]:
    """Every single secret, taken out of the lists and the URL that hold it."""
    yield from _listed(settings.tokens)
    for pair in _listed(settings.basic_auth):
        yield pair
        yield pair.partition(":")[2]
    yield from (getattr(settings, name) for name in _WHOLE)
    for server in _listed(settings.clickhouse):
        try:
            password = urlsplit(server).password or ""
        except ValueError:  # not a URL: all of it counts as secret
            password = server
        yield from (password, unquote(password))


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]
