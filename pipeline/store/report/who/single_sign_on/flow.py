"""Single sign-on by OpenID Connect: the authorization code flow, with PKCE, state and nonce."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from pipeline.store.report.who.guard import RETURN_PATH
from pipeline.store.report.who.single_sign_on.id_token import BadToken, claims_from_token
from pipeline.store.report.who.single_sign_on.provider import Provider, ProviderFails
from pipeline.store.report.who.single_sign_on.roles import rights_by_role, roles_in
from pipeline.store.report.who.single_sign_on.signed_in import (
    SIGN_ON_SECONDS,
    NotSignedIn,
    SignedIn,
)
from pipeline.web.access import AccessError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Settings
    from pipeline.store.report.who.public_address import PublicAddress

_MOST_UNDER_WAY: Final = 1_000
_LONGEST_NAME: Final = 128
_LONGEST_CODE: Final = 4_096


class UnderWay(msgspec.Struct, frozen=True, kw_only=True):
    """What the return from the provider is checked against."""

    state: str
    nonce: str
    verifier: str
    next: str
    ends_at: float


class SingleSignOn:
    """Sends browsers to the provider, and knows those that come back."""

    def __init__(self, settings: Settings, public: PublicAddress) -> None:
        """Raises `AccessError` for settings that cannot be used."""
        if not public.url:
            raise AccessError(
                "report_oidc_issuer needs report_url, to which browsers come back"
                " (TWOWAY_REPORT_URL)"
            )
        self._provider = Provider(settings)
        self._rights = rights_by_role(settings.report_oidc_rights)
        if not self._rights:
            raise AccessError("report_oidc_rights is missing (TWOWAY_REPORT_OIDC_RIGHTS)")
        self._roles, self._name = settings.report_oidc_roles, settings.report_oidc_name
        self._scope = settings.report_oidc_scope
        self._redirect_uri = public.url + RETURN_PATH
        self._under_way: OrderedDict[bytes, UnderWay] = OrderedDict()

    async def send_away(self, next: str) -> tuple[str, str]:
        """Where the browser goes, and what it holds until it comes back; raises `NotSignedIn`."""
        try:
            metadata = await self._provider.about_itself()
        except ProviderFails as error:
            raise NotSignedIn(f"the provider: {error}") from error
        now = time.monotonic()
        while self._under_way and (
            len(self._under_way) >= _MOST_UNDER_WAY or next_of(self._under_way).ends_at < now
        ):
            self._under_way.popitem(last=False)
        held = secrets.token_urlsafe(32)
        way = UnderWay(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            next=next,
            ends_at=now + SIGN_ON_SECONDS,
        )
        self._under_way[_digest(held)] = way
        where = prepare_grant_uri(
            metadata.authorization_endpoint,
            self._provider.client,
            "code",
            redirect_uri=self._redirect_uri,
            scope=self._scope,
            state=way.state,
            nonce=way.nonce,
            code_challenge=create_s256_code_challenge(way.verifier),
            code_challenge_method="S256",
        )
        return where, held

    async def come_back(self, held: str, query: Mapping[str, str]) -> SignedIn:
        """Who came back with this query; raises `NotSignedIn`. Each return counts once."""
        way = self._under_way.pop(_digest(held), None)
        if way is None or way.ends_at < time.monotonic():
            raise NotSignedIn("it was not begun in this browser, or too long ago")
        if not hmac.compare_digest(way.state.encode(), query.get("state", "").encode()):
            raise NotSignedIn("the state is another one")
        if query.get("iss", self._provider.issuer) != self._provider.issuer:  # RFC 9207 2.4
            raise NotSignedIn("another provider answers")
        if "error" in query:
            raise NotSignedIn("the provider refused it")
        code = query.get("code", "")
        if not code or len(code) > _LONGEST_CODE:
            raise NotSignedIn("the provider gave no code")
        try:
            tokens = await self._provider.tokens(
                code, verifier=way.verifier, redirect_uri=self._redirect_uri
            )
            claims = await self._claims(tokens, way)
        except ProviderFails as error:
            raise NotSignedIn(f"the provider: {error}") from error
        except BadToken as error:
            raise NotSignedIn(str(error)) from error
        roles = roles_in(claims, self._roles)
        rights = frozenset(right for role in roles for right in self._rights.get(role, ()))
        if not rights:
            raise NotSignedIn("none of the user's roles may do anything here")
        name = claims.get(self._name) or claims["sub"]
        if not isinstance(name, str) or len(name) > _LONGEST_NAME or not name.isprintable():
            name = claims["sub"][:_LONGEST_NAME]
        return SignedIn(name=name, rights=rights, next=way.next)

    async def _claims(self, tokens: dict[str, str], way: UnderWay) -> dict[str, Any]:
        """The claims; where the key is not known, with the keys as they are now."""
        for are_known in (True, False):
            keys = await self._provider.keys(are_known=are_known)
            try:
                return claims_from_token(
                    tokens["id_token"], keys, issuer=self._provider.issuer,
                    client=self._provider.client, nonce=way.nonce,
                    access_token=tokens.get("access_token", ""),
                )  # fmt: skip
            except BadToken:
                if not are_known:
                    raise
        raise AssertionError


def next_of(under_way: OrderedDict[bytes, UnderWay]) -> UnderWay:
    """The one that was begun first."""
    return next(iter(under_way.values()))


def _digest(held: str) -> bytes:
    return hashlib.sha256(held.encode("utf-8", "surrogatepass")).digest()
