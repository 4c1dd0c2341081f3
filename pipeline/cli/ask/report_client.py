"""HTTP requests of the commands to the report and to the ingest service."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.terminal.as_home import context_for, headers_for
from pipeline.cli.terminal.failure import CommandError
from pipeline.home.stack import bootstrap_of, find_stack
from pipeline.process.peer_words import peer_words
from pipeline.settings import Settings
from pipeline.web.bounded_answer import AnswerBounds, AnswerRefused, BoundedResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TIMEOUT_SECONDS: Final = 30
QUICK_SECONDS: Final = 3
#: The report's answers are no larger (`RESULT_OCTETS` of the store).
MOST_OCTETS: Final = 128 << 20
MOST_DOWNLOADED_OCTETS: Final = 1 << 40
DOWNLOAD_SECONDS: Final = 4 * 3600
PIECE_OCTETS: Final = 64 << 10
MOST_WORDS: Final = 1_000  # of a refusal, as the report has them


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
    begins: str = "",
) -> HttpAnswer:
    """POST with a body, else GET; the answer whatever its status, `CommandError` without one.

    A success that does not begin so is none, and is not read to its end.
    """
    request = urllib.request.Request(url, data=body, headers=headers or {})  # noqa: S310  ours
    bounds = AnswerBounds(octets=MOST_OCTETS, seconds=timeout_seconds)
    try:
        with _opener(bounds, context).open(request, timeout=timeout_seconds) as response:
            return HttpAnswer(response.status, _text_of(response, begins.encode()))
    except urllib.error.HTTPError as error:
        try:
            with error:
                return HttpAnswer(error.code, _text_of(error, b""))
        except _FAILURES as cut:
            raise CommandError(f"{_where(request)} does not answer: {_words(cut)}") from cut
    except _FAILURES as error:
        raise CommandError(f"{_where(request)} does not answer: {_words(error)}") from error


_FAILURES: Final = (OSError, http.client.HTTPException, ValueError)


def _where(request: urllib.request.Request) -> str:
    return f"{request.type}://{request.host}"


def _words(error: BaseException) -> str:
    return peer_words(str(getattr(error, "reason", "") or error) or type(error).__name__)


def _text_of(response: Any, begins: bytes) -> str:
    pieces: list[bytes] = []
    while piece := response.read(PIECE_OCTETS):
        if not pieces and not piece.startswith(begins):
            raise AnswerRefused("the answer is not what was asked for")
        pieces.append(piece)
    if response.length:
        raise AnswerRefused("the answer does not come to its end")
    return b"".join(pieces).decode("utf-8", "replace")


class _Unled(urllib.request.HTTPRedirectHandler):
    """What is elsewhere is not gone for: a question has numbers in it."""

    def redirect_request(self, *_: Any) -> None:
        """The answer stays the redirection."""


def _opener(bounds: AnswerBounds, context: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    """Opens within the bounds, which begin now."""
    answer = partial(BoundedResponse, bounds=bounds, until=bounds.until())

    def connecting(kind: Callable[..., Any]) -> Callable[..., Any]:
        def connection(*given: Any, **named: Any) -> Any:
            made = kind(*given, **named)
            made.response_class = answer
            return made

        return connection

    class Plain(urllib.request.HTTPHandler):
        def http_open(self, req: Any) -> Any:
            return self.do_open(connecting(http.client.HTTPConnection), req)

    class Secure(urllib.request.HTTPSHandler):
        def https_open(self, req: Any) -> Any:
            return self.do_open(
                connecting(http.client.HTTPSConnection),
                req,
                context=context,
            )

    return urllib.request.build_opener(Plain, Secure, _Unled)


def failure_of(address: str) -> str:
    """Why the service is not ready, in words; empty if it is ready. No certificate is checked."""
    context = ssl._create_unverified_context() if address.startswith("https:") else None  # noqa: S323, SLF001  a question of ours, without secrets
    try:
        answer = call(f"{address}/readyz", timeout_seconds=QUICK_SECONDS, context=context)
    except CommandError as error:
        return str(error)
    words = peer_words(" ".join(detail_of(answer.text).split()))
    return "" if answer.status == 200 else f"{address} is not ready ({answer.status}): {words}"


def detail_of(text: str) -> str:
    """What problem details say is wrong (RFC 9457 3.1.4); of another answer its text."""
    try:
        problem = json.loads(text)
    except (ValueError, RecursionError):
        return text
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return detail if isinstance(detail, str) else text


def pieces_of(url: str) -> Iterator[bytes]:
    """The body of a long answer of the report's, piece by piece; raises `CommandError`."""
    request = urllib.request.Request(url, headers=headers_for(url))  # noqa: S310  ours
    bounds = AnswerBounds(octets=MOST_DOWNLOADED_OCTETS, seconds=DOWNLOAD_SECONDS)
    try:
        with _opener(bounds, context_for(url)).open(request, timeout=DOWNLOAD_SECONDS) as response:
            while piece := response.read(PIECE_OCTETS):
                yield piece
            if response.length:
                raise CommandError(f"{_where(request)}: the download does not come to its end")
    except urllib.error.HTTPError as error:
        with error:
            words = peer_words(" ".join(_text_of(error, b"").split()), limit=MOST_WORDS)
        raise CommandError(f"the report refused this ({error.code}): {words}") from error
    except _FAILURES as error:
        raise CommandError(f"{_where(request)} broke off: {_words(error)}") from error


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
    scheme = "https" if settings.report_tls_cert else "http"
    return f"{scheme}://{settings.report_host}:{settings.report_port}"


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
        headers={"Content-Type": "application/json", **headers_for(report)},
        timeout_seconds=timeout_seconds,
        context=context_for(report),
        begins="{",
    )
    if answer.status != 200:
        words = peer_words(" ".join(answer.text.split()), limit=MOST_WORDS) or "no words"
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
    try:
        return [json.loads(line) for line in lines]
    except ValueError:
        raise CommandError(f"{report} answered what is no JSON") from None
