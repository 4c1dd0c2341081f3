"""A handset's consent in words: the state, since when, why, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import ConsentRule, ConsentState, ScopeKind
from pipeline.records.plain import text_from_time
from pipeline.sms.words.stopwords import STOP_WORDS
from pipeline.store.story.consent import OPEN_STATE, Change, ScopeNow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.directory.directory import Directory
    from pipeline.records import Number
    from pipeline.stages.consent.scopes.scopes import Key

TEXT_SHOWN: Final = 80


def lines_of_scope(
    handset: str, key: Key, now: ScopeNow | None, *, directory: Directory, is_past: bool = False
) -> Iterator[str]:
    """Everything about one scope. If it has no rows, `now` is its account's state, or None.

    Of the past it is not said what would change it.
    """
    number = _number_of(key, directory)
    yield name_of_scope(key)
    if now is None:
        yield "  no change of it is stored: nothing that is known stopped it"
    else:
        if now.key != key:
            yield f"  nothing of its own: {name_of_scope(now.key)} decides"
        yield f"  ours: {now.latest.state}, {_since(now.ours_since)}"
        yield f"  the gateway's: {now.latest.gateway_state}, {_since(now.gateway_since)}"
        yield from _due(now.latest)
    is_open = now is None or now.is_open
    yield f"  an MT {'passes this' if is_open else 'is refused: opted-out'}"
    for way in () if is_past else _ways(handset, key, now, number):
        yield f"  to change it: {way}"


def ways_to_change(
    handset: str, key: Key, now: ScopeNow | None, *, directory: Directory
) -> Iterator[str]:
    """What would change the scope, each a sentence."""
    return _ways(handset, key, now, _number_of(key, directory))


def name_of_scope(key: Key) -> str:
    """A scope as people say it."""
    kind, scope = key
    if kind == ScopeKind.KEYWORD:
        code, _, word = scope.partition("/")
        return f"keyword {word} on {code}"
    if kind == ScopeKind.ACCOUNT:
        return f"account {scope}, every number of it"
    return f"{kind} {scope}"


def _number_of(key: Key, directory: Directory) -> Number | None:
    kind, scope = key
    if kind == ScopeKind.ACCOUNT:
        return None
    return directory.find(scope.partition("/" if kind == ScopeKind.KEYWORD else "-")[0])


def _since(change: Change | None) -> str:
    if change is None:
        return "always"
    words = f"since {text_from_time(change.at)}, by {_cause(change)} (rule {change.rule})"
    late = (change.recorded_at - change.at).total_seconds()
    known = f"; known since {text_from_time(change.recorded_at)}" if late >= 1 else ""
    return words + known


def _cause(change: Change) -> str:
    if change.actor:
        review = f" on message {change.mo_message_id}" if change.mo_message_id else ""
        return f"order of {change.actor}{review}: {change.reason}"
    if not change.mo_message_id:
        return "no message: an earlier message that came late has cancelled the cause"
    text = " ".join(change.text.split())
    short = text if len(text) <= TEXT_SHOWN else f"{text[:TEXT_SHOWN]}…"
    message = f'"{short}" to {change.number} (message {change.mo_message_id})'
    if change.rule == ConsentRule.CONFIRMED:
        return f"our confirmation of {message}"
    if change.rule == ConsentRule.GATEWAY_CONFIRMED:
        return f"the gateway's own confirmation of {message}"
    return message


def _due(latest: Change) -> Iterator[str]:
    if latest.confirmation_due_at is None or latest.confirmation_deadline is None:
        return
    yield (
        f"  due: the default text goes out at {text_from_time(latest.confirmation_due_at)} unless"
        " the application confirms before; the gateway confirms by itself at"
        f" {text_from_time(latest.confirmation_deadline)}"
    )


def _ways(handset: str, key: Key, now: ScopeNow | None, number: Number | None) -> Iterator[str]:
    latest = now.latest if now else None
    place = _place(key)
    if latest is None or (latest.state, latest.gateway_state) == (OPEN_STATE, OPEN_STATE):
        extra = [word.upper() for word in number.extra_stop_words] if number else []
        sets = [f"those of {name}" for name in number.stop_words] if number else []
        words = ", ".join([*sorted(word.upper() for word in STOP_WORDS), *extra, *sets])
        yield f"a stop message {place} stops it ({words}; STOP ALL the whole account)"
        yield f"`twoway stop {_arguments(handset, key)}` stops ours"
        return
    message = _opening_message(key, place)
    strict = number is not None and number.strict
    if latest.state != OPEN_STATE and latest.gateway_state != OPEN_STATE and not strict:
        yield f"{message} re-enables both sides"
    elif latest.gateway_state != OPEN_STATE:
        yield f"{message} re-enables the gateway's side, and no order of ours does"
    if latest.state != OPEN_STATE:
        if strict:
            yield f"START, UNSTOP or YES {place} re-enables ours (the number is strict)"
        elif latest.gateway_state == OPEN_STATE:
            yield f"{message} re-enables ours"
        yield f"`twoway open {_arguments(handset, key)}` opens ours"
    if ConsentState.CONFIRMATION_DUE in (latest.state, latest.gateway_state):
        yield "a message that re-enables cancels the confirmation that is due"


def _place(key: Key) -> str:
    kind, scope = key
    if kind == ScopeKind.KEYWORD:
        code, _, word = scope.partition("/")
        return f"to {code} with the keyword {word}"
    if kind == ScopeKind.ACCOUNT:
        return "to any number of the account"
    return f"to {scope}" if kind == ScopeKind.NUMBER else f"to any number of {scope}"


def _opening_message(key: Key, place: str) -> str:
    words = f"a later message {place}, whole, readable and without a stop word,"
    return f"{words} to that number alone," if key[0] == ScopeKind.ACCOUNT else words


def _arguments(handset: str, key: Key) -> str:
    kind, scope = key
    if kind == ScopeKind.ACCOUNT:
        return f"{handset} --account {scope} --reason …"
    if kind == ScopeKind.KEYWORD:
        code, _, word = scope.partition("/")
        return f"{handset} {code} --keyword {word} --reason …"
    return f"{handset} {scope.partition('-')[0]} --reason …"
