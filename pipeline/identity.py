"""Ids that are computed from content, so that a replay gives the same ids."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pipeline.sms.msisdn import address_from_text

if TYPE_CHECKING:
    from pipeline.records import MtRequest

# A cache for lengths up to 255: to encode a length takes as long as to hash it.
_LENGTHS: Final = [length.to_bytes(4, "big") for length in range(256)]


def derived_id(*words: str) -> str:
    """32 hex digits, a hash of these words (blake2b, 128 bits)."""
    pieces: list[bytes] = []
    for word in words:
        octets = word.encode() if word.isascii() else word.encode("utf-8", "surrogatepass")
        length = len(octets)
        pieces.append(_LENGTHS[length] if length < 256 else length.to_bytes(4, "big"))
        pieces.append(octets)
    return blake2b(b"".join(pieces), digest_size=16).hexdigest()


def request_digest(request: MtRequest) -> bytes:
    """A digest of the content of an MT request, 16 octets. Equal digests mean the same request.

    The id and the time of the request do not count. `to` counts as the handset that it names, so
    "+27…" and "27…" are the same. If one id comes with two digests, HTTP answers 409, and the gate
    rejects with `id-reused`.
    """
    content = (
        address_from_text(request.to),
        request.text,
        request.sender_id or "",
        request.keyword or "",
        request.api_id or "",
        str(request.confirms_opt_out),
        request.not_after.isoformat() if request.not_after else "",
    )
    return bytes.fromhex(derived_id("mt-request", *content))
