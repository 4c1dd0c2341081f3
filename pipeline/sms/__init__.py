"""What the standards and the guide say about text, addresses and time."""

from typing import Final

LONGEST_CACHED: Final = 64
"""Characters or octets. A cache keeps a text from outside up to this length.

The result for a longer text is computed each time.
"""
