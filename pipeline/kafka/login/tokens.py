"""Tokens for OAUTHBEARER (RFC 7628): from an endpoint, or from a file that others renew.

An endpoint is asked by the grant of client credentials (RFC 6749 4.4). Its token is used again
until four fifths of its life are over; Kafka's own client renews at the same share.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError
from urllib.parse import quote_plus, unquote, urlencode, urlsplit
from urllib.request import Request, urlopen

from aiokafka.abc import AbstractTokenProvider as AiokafkaTokenProvider
from aiokafka.errors import KafkaError as AiokafkaError

from pipeline.kafka.login.refusal import KafkaLoginRefused
from pipeline.process.peer_words import keep_passing_secret, peer_words

if TYPE_CHECKING:
    from pipeline.home.brokers import KafkaLogin

ANSWER_SECONDS: Final = 10.0
MOST_OCTETS: Final = 64 * 1024
USED_FOR: Final = 0.8  # sasl.login.refresh.window.factor
SHORTEST_SECONDS: Final = 30.0


class NoToken(AiokafkaError):  # type: ignore[misc]
    """There is no token now, and there may be later; the words say why, without a secret."""


class Tokens:
    """Tokens of one login, shared by the clients of a process."""

    _of: Final[dict[KafkaLogin, Tokens]] = {}

    def __init__(self, login: KafkaLogin) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    @classmethod
    def shared_by(cls, login: KafkaLogin) -> Tokens:
        """Those of this login: clients of the same login ask the endpoint once."""
        return cls._of.setdefault(login, cls(login))

    def token(self) -> str:
        """A valid token; raises `NoToken` or `KafkaLoginRefused`. It may wait for the endpoint."""
        with self._lock:
            if not self._token or time.monotonic() > self._until:
                self._token, seconds = self._fetched()
                self._until = time.monotonic() + seconds
                keep_passing_secret("kafka", self._token)
            return self._token

    def _fetched(self) -> tuple[str, float]:
        """A token, and for how many seconds it is used."""
        url = urlsplit(self._login.token_url)
        try:
            if url.scheme == "file":
                return _token_of_file(Path(unquote(url.path))), 0.0
            return _token_from_answer(self._asked())
        except HTTPError as error:
            with error:
                said = peer_words(error.read(MOST_OCTETS))
            words = f"the token endpoint answers {error.code}: {said}"
            if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                names = "client_id, kafka_sasl_oauthbearer_client_secret"
                raise KafkaLoginRefused(f"{words} (kafka_sasl_oauthbearer_{names})") from None
            raise NoToken(words) from None
        except (OSError, HTTPException) as error:
            raise NoToken(f"no token from {self._login.token_url}: {error}") from None

    def _asked(self) -> bytes:
        login = self._login
        user = f"{quote_plus(login.client_id)}:{quote_plus(login.client_secret)}"  # RFC 6749 2.3.1
        form = {"grant_type": "client_credentials"} | (
            {"scope": login.scope} if login.scope else {}
        )
        headers = {
            "Authorization": f"Basic {base64.b64encode(user.encode()).decode()}",
            "Accept": "application/json",
        }
        request = Request(login.token_url, urlencode(form).encode(), headers)  # noqa: S310 - https
        with urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - a setting
            return bytes(answer.read(MOST_OCTETS))


def _token_of_file(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KafkaLoginRefused(
            f"there is no token in {file}: {error} (kafka_sasl_oauthbearer_token_endpoint_url)"
        ) from None


def _token_from_answer(octets: bytes) -> tuple[str, float]:
    """RFC 6749 5.1: `access_token`, and `expires_in` in seconds, which may be missing."""
    try:
        answer = json.loads(octets)
        token, seconds = answer["access_token"], float(answer.get("expires_in", 0))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NoToken("the token endpoint answers without an access_token") from None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise NoToken("the token endpoint answers a token that is no token")
    return token, max(seconds * USED_FOR, SHORTEST_SECONDS)


class AiokafkaTokens(AiokafkaTokenProvider):  # type: ignore[misc]
    """The tokens as aiokafka asks for them."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        """See `Tokens.token`; in a thread, because it may wait."""
        return await asyncio.to_thread(self._tokens.token)
