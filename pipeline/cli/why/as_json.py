"""A scope's consent as a value for `why --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.store.story.consent import OPEN_STATE

if TYPE_CHECKING:
    from pipeline.stages.consent.scopes.scopes import Key
    from pipeline.store.story.consent import ScopeNow


def plain_from_scope(
    key: Key, now: ScopeNow | None, *, is_anything_known: bool = True
) -> dict[str, Any]:
    """Both states, and the changes that set them; null: no change is stored.

    Where nothing is known of the handset, the states are null too, and whether an MT passes.
    `decided_by` is another scope where this one has no changes of its own.
    """
    latest = now.latest if now else None
    unstopped = OPEN_STATE if is_anything_known else None
    return {
        "scope_kind": key[0],
        "scope": key[1],
        "passes": now.is_open if now else (True if is_anything_known else None),
        "state": latest.state if latest else unstopped,
        "gateway_state": latest.gateway_state if latest else unstopped,
        "decided_by": "/".join(now.key) if now and now.key != key else None,
        "confirmation_due_at": latest.confirmation_due_at if latest else None,
        "ours_since": now.ours_since if now else None,
        "gateway_since": now.gateway_since if now else None,
    }
