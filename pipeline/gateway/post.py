"""Calls the product's URLs for messages and statuses."""

from __future__ import annotations

from typing import Final

import aiohttp
from yarl import URL

from pipeline.process.peer_words import words_of_error

_SECONDS: Final = 10.0
_LONGEST: Final = 64 * 1024  # octets read of an answer
_FORM: Final = "application/x-www-form-urlencoded"


class Post:
    """One HTTP client for all calls."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def call(self, method: str, url: str, octets: bytes) -> tuple[int, bytes]:
        """Send octets as the query of a GET or the form of a POST.

        Returns the HTTP status and the answer's body; without an answer 0 and the error in words.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS))
        is_get = method == "GET"
        target = URL(f"{url}?{octets.decode('ascii')}" if is_get else url, encoded=True)
        try:
            async with self._session.request(
                method,
                target,
                data=None if is_get else octets,
                headers=None if is_get else {"Content-Type": _FORM},
            ) as answer:
                return answer.status, await answer.content.read(_LONGEST)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return 0, words_of_error(error).encode()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
