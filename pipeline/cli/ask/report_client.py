"""HTTP requests of the commands to the report and to the ingest service."""

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
    """The status of an HTTP answer, and its body as text."""

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
    """POST if there is a body, else GET. Any status is an answer; no answer is `CommandError`."""
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
    """Why the service is not ready, in words; empty if it is ready. No certificate is checked."""
    context = ssl._create_unverified_context() if address.startswith("https:") else None  # noqa: S323, SLF001  a question of ours, without secrets
    try:
        answer = call(f"{address}/readyz", timeout_seconds=QUICK_SECONDS, context=context)
    except CommandError as error:
        return str(error)
    words = " ".join(answer.text.split())
    return "" if answer.status == 200 else f"{address} is not ready ({answer.status}): {words}"


def report_of(settings: Settings) -> str:
    """Address of the report: the local stack's, else the address in the settings.

    Raises `StackError` if no stack runs and the settings name neither a report nor a broker: then
    another home's report may listen on the default port.
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
    """The rows of a read-only query, one line of JSON each.

    `parameters` are the values of the query's `{name:Type}`. Raises `CommandError` with one line
    if the report refuses the query.
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
    """The rows of `answer_lines`, each as a dictionary."""
    lines = answer_lines(report, sql, parameters=parameters, timeout_seconds=timeout_seconds)
    return [json.loads(line) for line in lines]
