"""Signed callbacks by Standard Webhooks (github.com/standard-webhooks/standard-webhooks, 1.0.0).

What is signed is `id.timestamp.payload`, by HMAC-SHA256. Several secrets give several signatures:
so a secret can be changed while receivers know the old one, the new one or both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SECRET_BEGINS: Final = "whsec_"  # noqa: S105 - how a secret begins
#: "between 24 bytes (192 bits) and 64 bytes (512 bits)".
FEWEST_OCTETS: Final = 24
MOST_OCTETS: Final = 64
ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"


def key_from_secret(secret: str) -> bytes:
    """The key in a secret `whsec_` and base64; raises `ValueError`, without the secret in it."""
    if not secret.startswith(SECRET_BEGINS):
        raise ValueError(f"a secret begins with {SECRET_BEGINS}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_BEGINS), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"a secret is {SECRET_BEGINS} and base64") from None
    if not FEWEST_OCTETS <= len(key) <= MOST_OCTETS:
        raise ValueError(f"a secret has {FEWEST_OCTETS} to {MOST_OCTETS} octets before base64")
    return key


def headers_of(
    keys: Sequence[bytes], *, message_id: str, timestamp: int, payload: bytes
) -> dict[str, str]:
    """The three headers; `timestamp` is UNIX time of this attempt, `message_id` of all attempts."""
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, payload)
    signatures = [
        "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        for key in keys
    ]
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(signatures),
    }
