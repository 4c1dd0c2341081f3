"""A small OpenID provider that signs its tokens itself, and lies where a test wants it to.

It signs by `cryptography` alone, and checks the code, the redirection and PKCE as RFC 6749 4.1.3
and RFC 7636 4.6 have it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT, SECRET = "twoway-report", "s3cret of the client"


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@cache
def key_called(name: str) -> rsa.RSAPrivateKey:
    """A key of a provider; made once, for making one takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SmallProvider:
    """Serves discovery, keys and tokens; `claims`, `header` and `signer` may be changed."""

    def __init__(self) -> None:
        self.key = key_called("own")
        self.other = key_called("other")
        self.signer: Any = self.key
        self.kid = self.published = "k1"
        self.algorithm = "RS256"
        self.claims: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.silent = 0.0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._started.wait(30)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}/realm"

    def _serve(self) -> None:
        self._loop.run_until_complete(self._begin())
        self._loop.call_soon(self._started.set)  # a stop before would end `_begin` alone
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _begin(self) -> None:
        self._runner = web.ServerRunner(web.Server(self._answer))
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.silent:
            await asyncio.sleep(self.silent)
        match request.path:
            case "/realm/.well-known/openid-configuration":
                return web.json_response(self._about())
            case "/realm/keys":
                public = self.key.public_key().public_numbers()
                key = {"kty": "RSA", "kid": self.published, "use": "sig", "alg": "RS256",
                       "n": number(public.n), "e": number(public.e)}  # fmt: skip
                return web.json_response({"keys": [key]})
            case "/realm/token":
                return self._tokens(request, await request.text())
        return web.Response(status=404)

    def _about(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        } | self.about

    def agree(self, where: str) -> str:
        """Somebody signs in at the page `where`; returns where the browser is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code{len(self.codes)}"
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _tokens(self, request: web.BaseRequest, body: str) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(f"{CLIENT}:{SECRET.replace(' ', '%20')}".encode()).decode()
        challenge = encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or request.headers.get("Authorization") != f"Basic {pair}"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or not hmac.compare_digest(challenge, asked["code_challenge"])
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "u1", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "preferred_username": "berta",
            "realm_access": {"roles": ["support", "other"]},
        } | self.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return web.json_response(
            {"access_token": "at", "token_type": "Bearer", "id_token": self.signed(claims)}
        )

    def signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        said = ".".join(encoded(json.dumps(each).encode()) for each in (header, claims))
        match self.algorithm:
            case "none":
                return f"{said}."
            case "HS256":
                # The attack of RFC 8725 2.1: the public key as the secret of an HMAC.
                public = self.key.public_key().public_numbers()
                key = number(public.n).encode()
                return f"{said}.{encoded(hmac.digest(key, said.encode(), 'sha256'))}"
        made = self.signer.sign(said.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{said}.{encoded(made)}"
