"""The provider of single sign-on: what it says of itself, its keys, and its tokens, by HTTP.

Each answer has a bound in time and size, and no redirection is followed.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pipeline.web.access import AccessError, is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Settings

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=5)
_MOST_OCTETS: Final = 256 << 10
_KEPT_SECONDS: Final = 3_600.0
#: A key that is not known is looked for again, but not more often.
_AGAIN_SECONDS: Final = 60.0


class ProviderFails(RuntimeError):
    """The provider does not answer as it has to; the words say how."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Provider:
    """Asks one provider."""

    def __init__(self, settings: Settings) -> None:
        """Raises `AccessError` for settings that cannot be used."""
        self.issuer = settings.report_oidc_issuer
        self.client = settings.report_oidc_client
        self._secret = settings.report_oidc_secret
        if not self.client:
            raise AccessError("report_oidc_client is missing (TWOWAY_REPORT_OIDC_CLIENT)")
        self._check("report_oidc_issuer", self.issuer)
        try:
            self._tls = ssl.create_default_context(cafile=settings.report_oidc_ca or None)
        except OSError as error:
            raise AccessError(f"report_oidc_ca: {error}") from error
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._asking = asyncio.Lock()

    @staticmethod
    def _check(name: str, url: str) -> None:
        """Tokens and secrets go by https, or to this machine."""
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            return
        if parts.scheme == "http" and is_loopback_host(parts.hostname or ""):
            return
        raise AccessError(f"{name} has to begin with https://")

    async def about_itself(self) -> Metadata:
        """What the provider says of itself; raises `ProviderFails`."""
        async with self._asking:
            kept = self._metadata
            if kept and time.monotonic() - kept[0] < _KEPT_SECONDS:
                return kept[1]
            url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            try:
                found = msgspec.convert(await self._asked("GET", url), Metadata)
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    self._check(name, getattr(found, name))
            except (msgspec.ValidationError, AccessError, ValueError) as error:
                raise ProviderFails("what it says of itself cannot be used") from error
            if found.issuer != self.issuer:  # Discovery 1.0, 4.3
                raise ProviderFails("it calls itself by another name than report_oidc_issuer")
            self._metadata = time.monotonic(), found
            return found

    async def keys(self, *, are_known: bool = True) -> KeySet:
        """Its keys; asked for again where one was not among them. Raises `ProviderFails`."""
        metadata = await self.about_itself()
        async with self._asking:
            kept = self._keys
            lasts = _KEPT_SECONDS if are_known else _AGAIN_SECONDS
            if kept and time.monotonic() - kept[0] < lasts:
                return kept[1]
            answer = await self._asked("GET", metadata.jwks_uri)
            try:
                found = KeySet.import_key_set(answer)  # type: ignore[arg-type]  # it checks what it is given
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderFails("its keys cannot be read") from error
            self._keys = time.monotonic(), found
            return found

    async def tokens(self, code: str, *, verifier: str, redirect_uri: str) -> dict[str, str]:
        """The tokens for a code (RFC 6749 4.1.3, RFC 7636 4.5); raises `ProviderFails`."""
        metadata = await self.about_itself()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if self._secret and (
            "client_secret_basic" in metadata.token_endpoint_auth_methods_supported
        ):
            # RFC 6749 2.3.1: each part is form-encoded first.
            pair = f"{quote(self.client, safe='')}:{quote(self._secret, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self.client
            if self._secret:
                form["client_secret"] = self._secret
        answer = await self._asked("POST", metadata.token_endpoint, data=form, headers=headers)
        found = {name: answer.get(name) for name in ("id_token", "access_token")}
        if not isinstance(found["id_token"], str):
            raise ProviderFails("it gave no ID token")
        return {name: value for name, value in found.items() if isinstance(value, str)}

    async def _asked(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.request(
                    method, url, data=data, headers=headers, ssl=self._tls, allow_redirects=False
                ) as answer,
            ):
                octets = await answer.content.read(_MOST_OCTETS + 1)
                while len(octets) <= _MOST_OCTETS and not answer.content.at_eof():
                    octets += await answer.content.read(_MOST_OCTETS + 1)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderFails(f"it does not answer ({type(error).__name__})") from error
        if answer.status != 200:
            raise ProviderFails(f"it answers {answer.status}")
        try:
            found = json.loads(octets) if len(octets) <= _MOST_OCTETS else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ProviderFails("its answer cannot be read")
        return found
