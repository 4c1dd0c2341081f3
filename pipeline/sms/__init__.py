"""What the standards and the guide say of text, addresses and time."""

from typing import Final

LONGEST_CACHED: Final = 64
"""Characters or octets of a text from outside that a cache keeps; what is longer is worked out."""
