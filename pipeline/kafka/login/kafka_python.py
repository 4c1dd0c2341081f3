"""Tokens as kafka-python asks for them, with an error of its own kind.

Apart from `tokens.py`: most processes serve without kafka-python, which takes 0.1 s to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka.errors import KafkaError
from kafka.net.sasl.oauth import AbstractTokenProvider

from pipeline.kafka.login.refusal import KafkaLoginRefused
from pipeline.kafka.login.tokens import NoToken

if TYPE_CHECKING:
    from pipeline.kafka.login.tokens import Tokens


class TokenMissing(KafkaError):  # type: ignore[misc]
    """There is no token; the cause is a `NoToken` or a `KafkaLoginRefused`."""

    def __str__(self) -> str:
        """The words alone; kafka-python would put the name of the class before them."""
        return " ".join(map(str, self.args))


class KafkaPythonTokens(AbstractTokenProvider):  # type: ignore[misc]
    """The tokens as kafka-python asks for them."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    def token(self) -> str:
        """See `Tokens.token`; raises `TokenMissing`."""
        try:
            return self._tokens.token()
        except (NoToken, KafkaLoginRefused) as error:
            raise TokenMissing(*error.args) from error
