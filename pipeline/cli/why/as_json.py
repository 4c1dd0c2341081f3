"""A scope's consent as a value for `why --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.store.story.consent import OPEN_STATE

if TYPE_CHECKING:
    from pipeline.stages.consent.scopes.scopes import Key
    from pipeline.store.story.consent import ScopeNow


def plain_from_scope(key: Key, now: ScopeNow | None) -> dict[str, Any]:
    """Both states, and the changes that set them; null: it was always open.

    `decided_by` is another scope where this one has no changes of its own.
    """
    latest = now.latest if now else None
    return {
        "scope_kind": key[0],
        "scope": key[1],
        "passes": now is None or now.is_open,
        "state": latest.state if latest else OPEN_STATE,
        "gateway_state": latest.gateway_state if latest else OPEN_STATE,
        "decided_by": "/".join(now.key) if now and now.key != key else None,
        "confirmation_due_at": latest.confirmation_due_at if latest else None,
        "ours_since": now.ours_since if now else None,
        "gateway_since": now.gateway_since if now else None,
    }
