"""A request as the handlers see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.web.access import path_from_octets

if TYPE_CHECKING:
    from ingest.http.http1.head import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Path and query of a request, and the token, which is cut out of the path."""

    path: bytes
    query: bytes
    token: bytes | None


def target_from_octets(octets: bytes) -> Target:
    """The target, from origin form or absolute form (RFC 9112 3.2).

    A `#` belongs to the query. If it started a fragment, the rest of a text with an unencoded `#`
    would be lost.
    """
    if not octets.startswith(b"/"):
        scheme, found, rest = octets.partition(b"://")
        if found and scheme.lower() in (b"http", b"https"):
            slash = rest.find(b"/")
            octets = rest[slash:] if slash >= 0 else b"/"
    path, _, query = octets.partition(b"?")
    cut = path_from_octets(path)
    return Target(path=cut.path, query=query, token=cut.token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. Only what HTTP defines as ASCII is decoded."""

    method: str
    path: bytes
    query: bytes
    body: bytes
    content_type: str
    encoding: bytes
    head: Head
    is_cut: bool = False


def request_from(head: Head, target: Target, body: bytes, *, is_cut: bool = False) -> Request:
    """The request. `is_cut`: `body` is only the beginning of the body."""
    encoding = head.header(b"content-encoding").lower()
    return Request(
        method=head.method,
        path=target.path,
        query=target.query,
        body=body,
        content_type=head.header(b"content-type").decode("latin-1"),
        encoding=b"" if encoding == b"identity" else encoding,
        head=head,
        is_cut=is_cut,
    )
