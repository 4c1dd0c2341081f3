"""How long an FTP server is waited for and how much is taken from it: every bound, said once."""

from __future__ import annotations

from typing import Final

#: For the connection, TLS and the welcome.
CONNECT_SECONDS: float = 5.0
#: For a whole reply, however many lines and octets it comes in.
ANSWER_SECONDS: float = 30.0
#: A transfer brings so many octets in every `ANSWER_SECONDS`, or its end.
LEAST_OCTETS: Final = 1024
#: For a poll. What a longer one has brought by then is kept, and the next goes on from there.
POLL_SECONDS: float = 3600.0

LINE_OCTETS: Final = 4096  # of a reply; RFC 959 sets no limit
REPLY_OCTETS: Final = 64 * 1024
BLOCK_OCTETS: Final = 64 * 1024
LISTED_OCTETS: Final = 1024 * 1024
LISTED_LINES: Final = 10_000
#: Digits of what SIZE says.
SIZE_DIGITS: Final = 18
