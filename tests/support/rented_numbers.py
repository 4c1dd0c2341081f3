"""A directory with a number of every kind, and one handset that sends to them."""

from datetime import UTC, datetime

from pipeline.directory.directory import Directory, numbers_from_toml

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
HANDSET = "27821234567"
API_ID = "12345"  # of Ann's number
ANN = "447700900001"
BOB = "447700900002"
STRICT = "447700900003"
CODE = "12345"
PREMIUM = "34567"
PREMIUM_VMN = "447700900009"
BILLED = "45678"
LINKED = "447700900004"
SHARED = "56789"
FIRST, INSIDE, LAST = "27600000100", "27600000150", "27600000199"
ELSEWHERE = "447700900005"
QUIET = "447700900006"
CUSTOM = "447700900007"

NUMBERS = f"""
sender_ids = ["ACME", "447700800000"]

[[number]]
number = "{ANN}"
kind = "vmn"
api_id = "{API_ID}"

[[number]]
number = "{BOB}"
kind = "vmn"
api_id = "1002"
custom_reply.HELP.enabled = true

[[number]]
number = "{STRICT}"
kind = "vmn"
strict = true

[[number]]
number = "{CODE}"
kind = "short-code"
extra_stop_words = ["halt"]

[[number]]
number = "{PREMIUM}"
kind = "short-code"
premium = true

[[number]]
number = "{PREMIUM_VMN}"
kind = "vmn"
premium = true

[[number]]
number = "{BILLED}"
kind = "short-code"
mt_billed = true
linked = "{LINKED}"
custom_reply.HELP.text = "Ask us on the web"

[[number]]
number = "{LINKED}"
kind = "vmn"

[[number]]
number = "{SHARED}"
kind = "shared-short-code"
keywords = ["Fun", "game"]

[[number]]
first = "{FIRST}"
last = "{LAST}"
kind = "tagged-range"

[[number]]
number = "{ELSEWHERE}"
kind = "vmn"
account = "other"

[[number]]
number = "{QUIET}"
kind = "vmn"
may_send = false

[[number]]
number = "{CUSTOM}"
kind = "vmn"
[number.custom_reply.STOP]
text = "You are off the list."
[number.custom_reply.END]
enabled = true
[number.custom_reply.QUIT]
text = "Bye from the gateway"
sent_by = "gateway"
[number.custom_reply.CANCEL]
enabled = false
text = "never sent"
[number.custom_reply.HELP]
text = "Call 0800 1234"
"""


def directory_from(text: str) -> Directory:
    """The directory in this file."""
    return Directory(numbers_from_toml(text, origin="numbers.toml", loaded_at=NOON))


DIRECTORY = directory_from(NUMBERS)
