"""What every lying peer gets, and may repeat."""

from __future__ import annotations

SECRET = "hush7hsh"
NUMBER = "447700940001"
TEXT = "Meet me at noon"
TEN_MEGABYTES = 10_000_000
