"""The settings that the processes of a local stack get, and how to reach these processes."""

from __future__ import annotations

import hashlib
import os
import ssl
import tomllib
from dataclasses import fields, replace
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.local.ports import LOOPBACK, free_port, port_is_free
from pipeline.home.stack import StackError
from pipeline.process.secret_settings import NEEDED_BY, secrets_as_lines
from pipeline.settings import PREFIX, SETTINGS_FILE

if TYPE_CHECKING:
    from pipeline.settings import Settings

LOCAL_PARTITIONS: Final = 4
ANSWER_SECONDS: Final = 2.0


def settings_as_environment(settings: Settings) -> dict[str, str]:
    """Our environment with every setting that is in force, but without secrets.

    Other processes of the same user can read an environment, and so can an SQL statement that reads
    files. So a process gets its secrets by standard input (`secrets_as_lines`).
    """
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    in_force = {
        PREFIX + each.name.upper(): str(getattr(settings, each.name))
        for each in fields(settings)
        if each.name not in NEEDED_BY or not getattr(settings, each.name)
    } | {f"{PREFIX}SECRETS_FILE": "-" if secrets_as_lines(settings) else ""}
    return inherited | in_force | {"PYTHONUNBUFFERED": "1"}


def with_name(settings: Settings, program: str) -> Settings:
    """The settings of one program, with a name that stays the same if `instance` sets none.

    So a worker that restarts after a crash gets its partitions back at once. The name depends on
    the home, because two homes may share a broker.
    """
    home = hashlib.blake2b(os.fsencode(settings.home), digest_size=3).hexdigest()
    return replace(settings, instance=settings.instance or f"{program}-{home}")


def answers_ready(host: str, port: int, *, tls: bool = False, path: str = "/readyz") -> bool:
    """Whether GET `path` gives 200. No certificate is checked: it is our own process."""
    connection = (
        HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=_unchecked_context())
        if tls
        else HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()


def answers(host: str, port: int, *, tls: bool = False) -> bool:
    """Whether GET /healthz gets any answer within `ANSWER_SECONDS`."""
    context = _unchecked_context() if tls else None
    connection = (
        HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)
        if context
        else HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    )
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status > 0
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()


def _unchecked_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def with_free_ports(settings: Settings) -> Settings:
    """The settings with every port and path explicit; raises `StackError` for a port in use."""
    ports: dict[str, Any] = {}
    for name, host in (
        ("kafka_port", LOOPBACK),
        ("http_port", settings.http_host),
        ("report_port", settings.report_host),
        ("metrics_port", LOOPBACK),
    ):
        port = getattr(settings, name) or free_port(avoid=set(ports.values()))
        if port in ports.values() or not port_is_free(port, host=host):
            raise StackError(
                f"port {port} of {host} is in use: choose another by {PREFIX}{name.upper()}"
                f" or --{name.replace('_', '-')}, 0 for any that is free"
            )
        ports[name] = port
    home = settings.home.resolve()
    return replace(settings, home=home, partitions=_partitions(settings), **ports)


def _partitions(settings: Settings) -> int:
    """`LOCAL_PARTITIONS`, unless the setting `partitions` was given."""
    file = settings.home / SETTINGS_FILE
    given = f"{PREFIX}PARTITIONS" in os.environ or (
        file.is_file() and "partitions" in tomllib.loads(file.read_text())
    )
    return settings.partitions if given else LOCAL_PARTITIONS


def is_of_this_machine(server: str) -> bool:
    """Whether the host of host:port is on loopback."""
    host = server.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def where_to_call(host: str) -> str:
    """The address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": LOOPBACK, "": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104 - compared


def url_of(host: str, port: int, *, tls: bool) -> str:
    reached = where_to_call(host)
    bracketed = f"[{reached}]" if ":" in reached else reached
    return f"{'https' if tls else 'http'}://{bracketed}:{port}"
