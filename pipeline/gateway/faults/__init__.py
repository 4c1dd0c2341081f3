"""Lies on demand: what there is, who meets it, and how rules for it are written."""

from typing import Final

#: Clickatell's range of test numbers (SMPP API 2.5.2): a fault's digits follow.
MAGIC: Final = "27999100"
