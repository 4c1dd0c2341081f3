"""What somebody may who signed in elsewhere: roles in a claim, and rights of each by a setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.store.report.caller import Right
from pipeline.web.access import AccessError


def rights_by_role(text: str) -> dict[str, frozenset[Right]]:
    """`support=numbers+texts, boss=…`; raises `AccessError`."""
    found: dict[str, frozenset[Right]] = {}
    for each in filter(None, (part.strip() for part in text.split(","))):
        role, sign, words = each.rpartition("=")
        rights = [word.strip() for word in words.split("+")]
        if not sign or not role.strip() or not set(rights) <= set(Right):
            raise AccessError(
                f"report_oidc_rights: {each!r} is not role=right+right; the rights are"
                f" {', '.join(Right)}"
            )
        found[role.strip()] = found.get(role.strip(), frozenset()) | set(map(Right, rights))
    return found


def roles_in(claims: Mapping[str, Any], path: str) -> list[str]:
    """The roles at `path`: a list, or words with blanks between them."""
    found: Any = claims
    for name in path.split(".") if path not in claims else [path]:
        found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found.split()
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
