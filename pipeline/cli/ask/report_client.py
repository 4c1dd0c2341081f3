"""The report and the ingest service over HTTP, as the commands ask them."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.terminal.failure import CommandError
from pipeline.home.stack import bootstrap_of, find_stack
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS: Final = 30
QUICK_SECONDS: Final = 3


class HttpAnswer:
    """Status, and the body as text."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text


def call(
    url: str,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    context: ssl.SSLContext | None = None,
) -> HttpAnswer:
    """POST with a body, else GET; the answer whatever its status, `CommandError` without one."""
    request = urllib.request.Request(url, data=body, headers=headers or {})  # noqa: S310  ours
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds, context=context) as response:  # noqa: S310  ours
            return HttpAnswer(response.status, response.read().decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        return HttpAnswer(error.code, error.read().decode("utf-8", "replace"))
    except OSError as error:
        words = getattr(error, "reason", error)
        raise CommandError(f"{request.type}://{request.host} does not answer: {words}") from error


def failure_of(address: str) -> str:
    """Why the service is not ready, in words; empty when it is. Its certificate is not judged."""
    context = ssl._create_unverified_context() if address.startswith("https:") else None  # noqa: S323, SLF001  a question of ours, without secrets
    try:
        answer = call(f"{address}/readyz", timeout_seconds=QUICK_SECONDS, context=context)
    except CommandError as error:
        return str(error)
    words = " ".join(answer.text.split())
    return "" if answer.status == 200 else f"{address} is not ready ({answer.status}): {words}"


def report_of(settings: Settings) -> str:
    """Address of the report: the local stack's, else where the settings say it listens.

    Raises `StackError` where they say neither that nor which broker: whatever listens on the
    default port may be another home's.
    """
    stack = find_stack(settings.home)
    if stack and settings.kafka in ("", stack.kafka):
        return stack.report
    if (settings.report_host, settings.report_port) == (Settings.report_host, Settings.report_port):
        bootstrap_of(settings)
    return f"http://{settings.report_host}:{settings.report_port}"


def answer_lines(
    report: str,
    sql: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> list[str]:
    """The rows of a read-only query, a line of JSON each; `CommandError` in one line if refused.

    `parameters` are the values of the query's `{name:Type}`.
    """
    question = {"query": sql, "parameters": dict(parameters or {})}
    answer = call(
        f"{report}/sql",
        body=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
        timeout_seconds=timeout_seconds,
    )
    if answer.status != 200:
        words = " ".join(answer.text.split()) or "no words"
        raise CommandError(f"the report refused the query ({answer.status}): {words}")
    return [line for line in answer.text.splitlines() if line]


def rows(
    report: str,
    sql: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> list[dict[str, Any]]:
    """The same rows, read."""
    lines = answer_lines(report, sql, parameters=parameters, timeout_seconds=timeout_seconds)
    return [json.loads(line) for line in lines]
