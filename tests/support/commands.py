"""A command as the gate makes one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipeline.records import MtCommand, Scope

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


def command_of(**given: Any) -> MtCommand:
    """A reply that may go until midnight; `given` replaces fields."""
    fields: dict[str, Any] = {
        "command_id": "e3f19b7c5d0a4862b1c7f4093ad8625e",
        "request_id": "order-4711",
        "purpose": "reply",
        "sender_id": "447700900999",
        "handset": "447700900123",
        "text": "Your table is booked.",
        "mo": True,
        "reply_expected": True,
        "reply_note": "",
        "at": NOON,
        "not_after": NOON.replace(hour=23),
        "scopes": [Scope(scope_kind="account", scope="main")],
        "api_id": "1234",
        "account": "main",
        "keyword": "",
        "encoding": "gsm7",
        "parts": 1,
        "mo_message_id": "",
    }
    return MtCommand(**fields | given)
