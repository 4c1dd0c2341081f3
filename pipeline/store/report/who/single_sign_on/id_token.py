"""Checks an ID token (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authlib.common.errors import AuthlibBaseError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

#: Signatures by a key pair. Not by the client's secret, and not none (RFC 8725 3.1).
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
    "EdDSA",
)  # fmt: skip
_LEEWAY_SECONDS: Final = 60
_LONGEST: Final = 64 << 10
#: Of claims that have to be there once, as texts.
_TEXTS: Final = ("iss", "sub", "nonce")


class BadToken(ValueError):
    """The token is not for us, or not of now, or not the provider's; the words say which."""


def claims_from_token(
    token: str, keys: KeySet, *, issuer: str, client: str, nonce: str, access_token: str
) -> dict[str, Any]:
    """The claims of a token that is the provider's and for us; raises `BadToken`."""
    if len(token) > _LONGEST:
        raise BadToken("the ID token is too long")
    try:
        decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise BadToken(f"the ID token is not signed as it has to be ({_kind(error)})") from error
    claims = decoded.claims
    if not all(isinstance(claims.get(name), str) and claims[name] for name in _TEXTS):
        raise BadToken(f"the ID token lacks one of {', '.join(_TEXTS)}")
    checked = CodeIDToken(
        claims,
        decoded.header,
        {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client}},
        {"nonce": nonce, "client_id": client, "access_token": access_token},
    )
    try:
        checked.validate(leeway=_LEEWAY_SECONDS)
    except (AuthlibBaseError, JoseError) as error:
        raise BadToken(f"the ID token is not for this sign-in ({_kind(error)})") from error
    return dict(claims)


def _kind(error: Exception) -> str:
    """The error's code, without what the token says."""
    claim = getattr(error, "claim", None) or getattr(error, "claim_name", None)
    code = str(getattr(error, "error", "") or type(error).__name__)
    return f"{code} {claim}" if isinstance(claim, str) else code
