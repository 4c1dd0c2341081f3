"""The conversation of the demo: its numbers and its texts."""

from __future__ import annotations

from typing import Final

from pipeline.gateway.faults import MAGIC
from pipeline.gateway.settings import LINKED_API

# Ofcom keeps 07700 900000 to 900999 for fiction, so no real person can be texted by mistake.
DEMO_NUMBER: Final = "447700900999"
FIRST_HANDSET: Final = 447700900000
HANDSETS: Final = 998  # 447700900001 to 447700900998
#: The stand-in takes what is sent to it, and ends the connection without an answer.
LOST: Final = f"{MAGIC}0001"

HELP_TEXT: Final = "HELP"
HELP_REPLY: Final = "Two-way café: we reply by day. Text STOP to hear no more from us."

NUMBERS_TOML: Final = f"""\
# The number this demo rents. `twoway numbers load FILE` puts a changed directory in force.
[[number]]
number = "{DEMO_NUMBER}"
kind = "vmn"
api_id = "{LINKED_API}"

[number.custom_reply.HELP]
enabled = true
text = "{HELP_REPLY}"
sent_by = "us"
"""

ENGLISH: Final = "Hello! Is the café in Hay open on Sunday? I have £20 for cake."
ARABIC: Final = (
    "مرحبا يا أصدقائي، وصلتني الهدية صباح هذا اليوم وأنا سعيدة جدا بها 🎁 شكرا جزيلا لكم على "
    "السرعة وعلى التغليف الجميل. هل يمكنني أن أطلب هدية أخرى لأختي التي تسكن في مدينة بعيدة؟ "
    "أرجو الرد."
)
EVERY_WAY: Final = 'Fish & chips for <2>, and a "café crème": £12?'
AFTER: Final = "Thank you!"
#: A reply by each way out.
REPLIES: Final = {
    "http": "Yes, from 10 to 4 on Sunday. See you there!",
    "xml": "The cake of the day is <lemon & poppy>.",
    "soap": "There is soup, too.",
    "smpp": "Bring your walking shoes: the river path is open.",
    "smtp": "Parking is behind the café.",
    "ftp": "And the bookshop next door opens at 11.",
}
TO_BE_LOST: Final = "Your table for two is booked."
STOP: Final = "Stop."
WAITING_REPLY: Final = "Did you know that we bake bread as well?"
REFUSED_REPLY: Final = "And do try our new carrot cake!"
RETURN: Final = "Sorry, I still want to know: do you have carrot cake?"
LAST_REPLY: Final = "We do, and we keep a piece for you."
CONFIRMATION: Final = f"You will no longer receive messages from the short code {DEMO_NUMBER}"
