"""A client of the report for tests with thousands of requests: httpx takes a millisecond each."""

from __future__ import annotations

import http.client
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


class Answer(NamedTuple):
    """A response, its parts named as those of httpx."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes
    url: str

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class PlainClient:
    """One connection and its cookies; no redirect is followed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._cookies: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        content: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once; `data` are the fields of a form."""
        given = {"Accept": "*/*"} | dict(headers or {})
        body = content
        if data is not None:
            body = urlencode(data)
            given["Content-Type"] = "application/x-www-form-urlencoded"
        if self._cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        target = f"{path}?{urlencode(params)}" if params else path
        self._connection.request(method, target, body.encode() if body else None, given)
        response = self._connection.getresponse()
        found = Answer(response.status, response.headers, response.read(), self._url + target)
        for line in response.headers.get_all("Set-Cookie", ()):
            self._cookies |= {name: held.value for name, held in SimpleCookie(line).items()}
        return found

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return self.request("GET", path, params=params, headers=headers)

    def post(
        self, path: str, *, data: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self.request("POST", path, data=data, headers=headers)
