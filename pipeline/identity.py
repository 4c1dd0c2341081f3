"""Ids that follow from what they are of, so that a replay gives them again."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pipeline.sms.msisdn import address_from_text

if TYPE_CHECKING:
    from pipeline.records import MtRequest

# Most words are shorter than this; to make four octets of a length takes as long as to hash them.
_LENGTHS: Final = [length.to_bytes(4, "big") for length in range(256)]


def derived_id(*words: str) -> str:
    """32 hex digits that only these words give (blake2b, 128 bits)."""
    pieces: list[bytes] = []
    for word in words:
        octets = word.encode() if word.isascii() else word.encode("utf-8", "surrogatepass")
        length = len(octets)
        pieces.append(_LENGTHS[length] if length < 256 else length.to_bytes(4, "big"))
        pieces.append(octets)
    return blake2b(b"".join(pieces), digest_size=16).hexdigest()


def request_digest(request: MtRequest) -> bytes:
    """16 octets of what an MT request asks for: two requests with one digest are the same request.

    The id and the time of asking do not count; `to` counts as the handset it names, so "+27…" and
    "27…" are the same. HTTP answers 409 and the gate rejects with `id-reused` when one id has two
    digests.
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
