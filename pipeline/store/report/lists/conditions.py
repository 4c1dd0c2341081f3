"""The filters as SQL over the lines of `conversation_line_rows`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.store.report.lists.filters import words_for_clickhouse

if TYPE_CHECKING:
    from pipeline.store.report.lists.filters import Filters

_IS: Final = {
    "handset": "handset = {handset:String}",
    "api_id": "api_id = {api_id:String}",
    "account": "account = {account:String}",
    "keyword": "keyword = {keyword:String}",
    "flag": "has(flags, {flag:String})",
    "purpose": "purpose = {purpose:String}",
    "rule": "rule = {rule:String}",
}
_HAD_STATE: Final = (
    "record = 'mt-command' AND key IN (SELECT key FROM twoway.mt_last_state_rows WHERE {named})"
)
_RECORDS: Final = {"in": "mo-message", "out": "mt-command", "refused": "mt-rejection"}
_IS_WAY: Final = "way = {way:String}"
#: The way out of an MT is known from the results of its attempts.
_IS_WAY_OR_WENT: Final = (
    "(way = {way:String} OR (record = 'mt-command' AND key IN (SELECT MD5(command_id)"
    " FROM twoway.mt_result_rows WHERE way = {way:String})))"
)
_CONSENT: Final = """handset IN
(
    SELECT handset FROM
    (
        SELECT handset, state, gateway_state FROM twoway.consent_change_rows
        ORDER BY at DESC, recorded_at DESC, kafka_offset DESC LIMIT 1 BY handset, scope_kind, scope
    )
    {whose}
)"""
_WHOSE: Final = {
    "open": "GROUP BY handset HAVING max((state, gateway_state) != ('open', 'open')) = 0",
    "stopped": "WHERE state = 'stopped' OR gateway_state = 'stopped'",
    "confirmation-due": "WHERE state = 'confirmation-due' OR gateway_state = 'confirmation-due'",
}
_REFUSED_TEXT: Final = (
    "(handset, request_id) IN (SELECT handset, request_id FROM twoway.mt_request_rows"
    " WHERE request_id != '' AND lowerUTF8(text) LIKE {text:String})"
)


def conditions_of(
    filters: Filters, *, is_rare: bool = True, is_way_out: bool = True
) -> tuple[list[str], dict[str, Any]]:
    """The filters that are set, as SQL over the lines, and its parameters.

    `is_rare`: few commands have the state of the filter, so they are looked up by their keys. If
    many have it, every command is read. `is_way_out`: some command may have gone out by the way of
    the filter; if none has, the keys of commands need not be read.
    """
    found: list[str] = []
    given = {name: value for name, value in filters.given().items() if name in _IS}
    found += [_IS[name] for name in given]
    if filters.since:
        found.append("at >= {since:DateTime64(3, 'UTC')}")
        given["since"] = words_for_clickhouse(filters.since)
    if filters.until:
        found.append("at < {until:DateTime64(3, 'UTC')}")
        given["until"] = words_for_clickhouse(filters.until)
    if numbers := filters.number_range:
        found.append(
            "number BETWEEN {first:String} AND {last:String}"
            " AND length(number) = length({first:String})"
        )
        given |= {"first": numbers[0], "last": numbers[1]}
    elif filters.number:
        found.append("number = {number:String}")
        given["number"] = filters.number
    if filters.direction:
        found.append("record = {record:String}")
        given["record"] = _RECORDS[filters.direction]
    if filters.complete:
        found.append("complete" if filters.complete == "yes" else "NOT complete")
    if filters.text:
        is_refused = filters.direction == "refused"
        found.append(_REFUSED_TEXT if is_refused else "lowerUTF8(text) LIKE {text:String}")
        given["text"] = like_from_text(filters.text)
    if filters.way:
        found.append(_IS_WAY_OR_WENT if is_way_out else _IS_WAY)
        given["way"] = filters.way
    if filters.consent:
        found.append(_CONSENT.replace("{whose}", _WHOSE[filters.consent]))
    if filters.state or filters.code:
        found.append(_state_condition(filters) if is_rare else "record = 'mt-command'")
        given |= {"state": filters.state, "code": filters.code}
    return found, given


def _state_condition(filters: Filters) -> str:
    """SQL for commands that once had the state or code; each page checks whether it still holds."""
    return _HAD_STATE.replace("{named}", state_named(filters))


def state_named(filters: Filters) -> str:
    """The filters `state` and `code`, as SQL over `mt_last_state_rows`."""
    named = [f"{name} = {{{name}:String}}" for name in ("state", "code") if getattr(filters, name)]
    return " AND ".join(named)


def like_from_text(text: str) -> str:
    """A pattern for LIKE that finds the text anywhere, without wildcards of its own."""
    escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
