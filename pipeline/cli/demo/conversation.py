"""The conversation of the demo: its numbers, its texts, and the parts that a handset would send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Ofcom keeps 07700 900000 to 900999 for fiction, so no real person can be texted by mistake.
DEMO_NUMBER: Final = "447700900999"
FIRST_HANDSET: Final = 447700900000
HANDSETS: Final = 998  # 447700900001 to 447700900998
API_ID: Final = "3281547"

HELP_TEXT: Final = "HELP"
HELP_REPLY: Final = "Two-way café: we reply by day. Text STOP to hear no more from us."

NUMBERS_TOML: Final = f"""\
# The number this demo rents. `twoway numbers load FILE` puts a changed directory in force.
[[number]]
number = "{DEMO_NUMBER}"
kind = "vmn"
api_id = "{API_ID}"

[number.custom_reply.HELP]
enabled = true
text = "{HELP_REPLY}"
sent_by = "us"
"""

ENGLISH: Final = "Hello! Is the café in Hay open on Sunday? I have £20 for cake."
# The emoji is the 67th and 68th UTF-16 unit: a handset cuts it in two.
ARABIC: Final = (
    "مرحبا يا أصدقائي، وصلتني الهدية صباح هذا اليوم وأنا سعيدة جدا بها 🎁 شكرا جزيلا لكم على "
    "السرعة وعلى التغليف الجميل. هل يمكنني أن أطلب هدية أخرى لأختي التي تسكن في مدينة بعيدة؟ "
    "أرجو الرد."
)
REPLY: Final = "Yes, from 10 to 4 on Sunday. See you there!"
EVERY_WAY: Final = 'Fish & chips for <2>, and a "café crème": £12?'
AFTER: Final = "Thank you!"
STOP: Final = "Stop."
REFUSED_REPLY: Final = "And do try our new carrot cake!"
RETURN: Final = "Sorry, I still want to know: do you have carrot cake?"
LAST_REPLY: Final = "We do, and we keep a piece for you."
CONFIRMATION: Final = f"You will no longer receive messages from the short code {DEMO_NUMBER}"

PART_UNITS: Final = 67  # UCS-2 units of a part under a 6-octet UDH (3GPP TS 23.040 9.2.3.24.1)
# Out of order, and part 3 twice. Parts 1 and 2 have half a surrogate pair each: no XML holds them.
BY_SOAP, BY_FORM, BY_LOG = (3,), (1,), (3, 2)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part: its octets, its UDH in hex and its number."""

    number: int
    octets: bytes
    udh: str


def arabic_parts(*, reference: int) -> list[Part]:
    """The Arabic text in UTF-16BE, cut into parts as a handset cuts it.

    The first part ends between the two halves of the emoji.
    """
    octets = ARABIC.encode("utf-16-be")
    size = 2 * PART_UNITS
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    return [
        # IE 00, 3 octets: 8-bit reference, total, number (3GPP TS 23.040 9.2.3.24.1)
        Part(number=number, octets=piece, udh=f"050003{reference:02x}{len(pieces):02x}{number:02x}")
        for number, piece in enumerate(pieces, start=1)
    ]
