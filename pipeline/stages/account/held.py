"""The keys of the tables `held` and `held_ids`: messages that wait until they are paid.

A handset's messages of one account are a line. Its row in `held` counts them, and its key begins
the keys of the messages. `held_ids` finds a message's line by the message's id.
"""

from __future__ import annotations

from typing import Final

_LENGTH_OCTETS: Final = 4
_COUNT_OCTETS: Final = 8


def keys_of_held_begin(handset: str) -> bytes:
    """How the keys of a handset's rows begin, and no other handset's."""
    return _measured(handset.encode())


def line_key(handset: str, account: str) -> bytes:
    """The key of the line of a handset's messages of this account."""
    return _measured(handset.encode()) + _measured(account.encode())


def held_key(line: bytes, message_id: str) -> bytes:
    """The key of a message in a line."""
    return line + message_id.encode()


def handset_of_line(line: bytes) -> bytes:
    """The handset of a line, as it keys records."""
    length = int.from_bytes(line[:_LENGTH_OCTETS], "big")
    return line[_LENGTH_OCTETS : _LENGTH_OCTETS + length]


def message_id_of_key(key: bytes) -> bytes:
    """The id of the message under this key; empty for the row of a line."""
    at = 0
    for _ in range(2):
        at += _LENGTH_OCTETS + int.from_bytes(key[at : at + _LENGTH_OCTETS], "big")
    return key[at:]


def octets_from_count(count: int) -> bytes:
    """How many messages a line has, as its row."""
    return count.to_bytes(_COUNT_OCTETS, "big")


def count_from_octets(octets: bytes | None) -> int:
    """How many messages a line has; none, if it has no row."""
    return int.from_bytes(octets or b"", "big")


def _measured(octets: bytes) -> bytes:
    return len(octets).to_bytes(_LENGTH_OCTETS, "big") + octets
