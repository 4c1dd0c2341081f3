"""The bounds of the FTP poller: how long it waits for a server, and how much it takes."""

from __future__ import annotations

from typing import Final

#: Longest time for the connection, TLS and the welcome.
CONNECT_SECONDS: float = 5.0
#: Longest time for a whole reply, however many lines it has.
ANSWER_SECONDS: float = 30.0
#: A transfer must bring at least so many octets in `ANSWER_SECONDS`, or end.
LEAST_OCTETS: Final = 1024
#: Longest time for a poll. A longer poll ends; the next poll continues where it stopped.
POLL_SECONDS: float = 3600.0

LINE_OCTETS: Final = 4096  # a line of a reply; RFC 959 sets no limit
REPLY_OCTETS: Final = 64 * 1024
BLOCK_OCTETS: Final = 64 * 1024
LISTED_OCTETS: Final = 1024 * 1024
LISTED_LINES: Final = 10_000
#: Digits in the answer to SIZE.
SIZE_DIGITS: Final = 18
