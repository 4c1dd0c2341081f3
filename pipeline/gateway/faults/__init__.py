"""Faults that the stand-in plays on demand: their kinds, their rules, and who meets which."""

from typing import Final

#: Clickatell's range of test numbers (SMPP API 2.5.2); the digits of a fault follow.
MAGIC: Final = "27999100"
