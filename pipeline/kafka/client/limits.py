"""How large a broker's answer may be, for every client that reads it."""

from __future__ import annotations

from typing import Final

#: A fetch asks for so much at most; one record that is larger comes all the same (KIP-74).
MOST_FETCHED_OCTETS: Final = 8 << 20
#: The answer to a fetch: names of topics and partitions, and what compression cannot hide, too.
FRAME_OCTETS: Final = MOST_FETCHED_OCTETS + (5 << 18)
#: Any other answer.
SMALL_FRAME_OCTETS: Final = 1 << 20
