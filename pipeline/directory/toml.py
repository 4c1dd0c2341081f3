"""Read and check `numbers.toml`: the result is the directory, or all mistakes at once."""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from pipeline.directory.checker import LONGEST_DIGITS, TomlChecker
from pipeline.records import CustomReply, Number, Numbers
from pipeline.sms.msisdn import address_from_text, is_digits
from pipeline.sms.words.stopword_sets import SETS, words_of_sets
from pipeline.sms.words.stopwords import (
    HELP,
    START_WORDS,
    STOP_ALL,
    STOP_WORDS,
    contains_stop_word,
    words_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.directory.lines import TomlPath

VMN: Final = "vmn"
TAGGED_RANGE: Final = "tagged-range"
SHORT_CODE: Final = "short-code"
SHARED_SHORT_CODE: Final = "shared-short-code"
KINDS: Final = (VMN, TAGGED_RANGE, SHORT_CODE, SHARED_SHORT_CODE)
SENT_BY: Final = ("us", "gateway")

_LONGEST_ALPHA: Final = 11  # 3GPP TS 23.040 9.1.2.5: 20 semi-octets hold 11 septets
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
_FIELDS: Final = frozenset(
    [
        "number",
        "first",
        "last",
        "kind",
        "api_id",
        "account",
        "keywords",
        "premium",
        "mt_billed",
        "linked",
        "may_send",
        "strict",
        "extra_stop_words",
        "stop_words",
        "custom_reply",
    ]
)
_REPLY_FIELDS: Final = frozenset(("enabled", "text", "sent_by"))


class NumbersError(ValueError):
    """The mistakes in a number directory, one mistake per line, each with its line and field."""


def numbers_from_toml(
    text: str, *, origin: str, loaded_at: datetime, default_account: str = "main"
) -> Numbers:
    """The directory in `text`. Raises `NumbersError` with every mistake; each names `origin`."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        line = at[1] if at and at[1] else text.count("\n") + 1
        raise NumbersError(f"{origin}:{line}: {_AT_LINE.sub('', str(error)).strip()}") from error
    checker = TomlChecker(text, origin)
    checker.unknown(given, (), frozenset(("number", "sender_ids")))
    tables = given.get("number", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        checker.mistake(("number",), "must be tables, each under its own [[number]]")
        tables = []
    numbers = [
        _number(checker, table, ("number", i), default_account) for i, table in enumerate(tables)
    ]
    _check_together(checker, numbers)
    sender_ids = _sender_ids(checker, given)
    if checker.mistakes:
        raise NumbersError("\n".join(words for _, words in sorted(checker.mistakes)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Numbers(loaded_at=loaded_at, digest=digest, numbers=numbers, sender_ids=sender_ids)


def _number(
    checker: TomlChecker, table: dict[str, Any], path: TomlPath, default_account: str
) -> Number:
    checker.unknown(table, path, _FIELDS)
    kind = checker.text(table, (*path, "kind"))
    if "kind" not in table:
        checker.mistake((*path, "kind"), f"is missing; one of {', '.join(KINDS)}")
    elif kind not in KINDS:
        checker.mistake((*path, "kind"), f"must be one of {', '.join(KINDS)}")
    first, last = _first_and_last(checker, table, path, kind)
    extra = checker.phrases(table, (*path, "extra_stop_words"))
    for word in {HELP, *START_WORDS}.intersection(extra):
        checker.mistake((*path, "extra_stop_words"), f"{word!r} has another meaning")
    stop_words = _stop_words(checker, table, (*path, "stop_words"))
    words = [*extra, *words_of_sets(tuple(stop_words))]
    api_id = table.get("api_id")
    if isinstance(api_id, int) and not isinstance(api_id, bool):
        table = {**table, "api_id": str(api_id)}
    number = Number(
        first=first,
        last=last,
        kind=kind,
        api_id=checker.text(table, (*path, "api_id")),
        account=checker.text(table, (*path, "account"), default_account),
        keywords=_keywords(checker, table, path, kind, words),
        premium=checker.boolean(table, (*path, "premium"), default=False),
        mt_billed=checker.boolean(table, (*path, "mt_billed"), default=False),
        linked=checker.digits(table, (*path, "linked")) if "linked" in table else "",
        may_send=checker.boolean(table, (*path, "may_send"), default=True),
        strict=checker.boolean(table, (*path, "strict"), default=False),
        extra_stop_words=extra,
        custom_replies=_custom_replies(checker, table, (*path, "custom_reply"), words),
        stop_words=stop_words,
    )
    if not number.account:
        checker.mistake((*path, "account"), "must not be empty")
    if number.mt_billed and not number.linked:
        checker.mistake(
            (*path, "linked"),
            "is missing: a number with mt_billed confirms from a linked one (G7.1.1)",
        )
    return number


def _stop_words(checker: TomlChecker, table: dict[str, Any], path: TomlPath) -> list[str]:
    """The names of the sets of stop words, in lower case, each once."""
    value = table.get("stop_words", [])
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        checker.mistake(path, "must be a list of texts in quotes")
        return []
    names = list(dict.fromkeys(name.strip().lower() for name in value))
    for name in names:
        if name not in SETS:
            checker.mistake(path, f"there is no set {name!r}; there are {', '.join(sorted(SETS))}")
    return names


def _first_and_last(
    checker: TomlChecker, table: dict[str, Any], path: TomlPath, kind: str
) -> tuple[str, str]:
    if kind != TAGGED_RANGE:
        for name in ("first", "last"):
            if name in table:
                checker.mistake(
                    (*path, name), f"is for a {TAGGED_RANGE}; this is a {kind or 'number'}"
                )
        if "number" not in table:
            checker.mistake((*path, "number"), "is missing")
        number = checker.digits(table, (*path, "number"))
        return number, number
    if "number" in table:
        checker.mistake((*path, "number"), f"a {TAGGED_RANGE} has first and last in its place")
    for name in ("first", "last"):
        if name not in table:
            checker.mistake((*path, name), "is missing")
    first, last = (checker.digits(table, (*path, name)) for name in ("first", "last"))
    if is_digits(first) and is_digits(last):
        if len(first) != len(last):
            checker.mistake((*path, "last"), "must have as many digits as first")
        elif last < first:
            checker.mistake((*path, "last"), "must not be below first")
    return first, last


def _keywords(
    checker: TomlChecker,
    table: dict[str, Any],
    path: TomlPath,
    kind: str,
    extra: list[str],
) -> list[str]:
    here = (*path, "keywords")
    keywords = checker.phrases(table, here)
    if kind == SHARED_SHORT_CODE:
        if not table.get("keywords"):
            checker.mistake(here, "is missing: the keywords of ours on the shared code (G7.1.2)")
    elif "keywords" in table:
        checker.mistake(here, f"is for a {SHARED_SHORT_CODE}")
    for keyword in keywords:
        if contains_stop_word(keyword, tuple(extra)) or keyword in {"ALL", HELP}:
            checker.mistake(here, f"{keyword!r} could not be told from a stop command or HELP")
    return keywords


def _custom_replies(
    checker: TomlChecker, table: dict[str, Any], path: TomlPath, extra: list[str]
) -> list[CustomReply]:
    replies = table.get("custom_reply", {})
    if not isinstance(replies, dict) or not all(
        isinstance(reply, dict) for reply in replies.values()
    ):
        checker.mistake(path, "must be tables, [number.custom_reply.STOP] and so on")
        return []
    allowed = (*STOP_WORDS, HELP, *extra)
    found: dict[str, CustomReply] = {}
    for name, reply in replies.items():
        here = (*path, name)
        word = " ".join(words_of(name)).upper()
        if word not in allowed:
            more = f", not {' or '.join(STOP_ALL)}" if word in STOP_ALL else ""
            checker.mistake(here, f"must be one of {', '.join(allowed)}{more}")
        elif word in found:
            checker.mistake(here, f"{word} is there twice")
        checker.unknown(reply, here, _REPLY_FIELDS)
        text = checker.text(reply, (*here, "text")) if "text" in reply else None
        if text == "":
            checker.mistake(
                (*here, "text"), "must not be empty; leave it out where none is defined"
            )
        sent_by = checker.text(reply, (*here, "sent_by"), "us")
        if sent_by not in SENT_BY:
            checker.mistake((*here, "sent_by"), f"must be one of {', '.join(SENT_BY)}")
        enabled = checker.boolean(reply, (*here, "enabled"), default=True)
        found[word] = CustomReply(word=word, enabled=enabled, text=text, sent_by=sent_by)
    return list(found.values())


def _check_together(checker: TomlChecker, numbers: list[Number]) -> None:
    """Check the numbers against each other.

    No two entries hold the same digits. A linked number is listed, bills no MT, is not premium and
    may send.
    """
    readable = [
        (i, n)
        for i, n in enumerate(numbers)
        if is_digits(n.first) and len(n.first) == len(n.last) and n.first <= n.last
    ]
    in_order = sorted(readable, key=lambda entry: (len(entry[1].first), entry[1].first, entry[0]))
    highest: tuple[int, Number] | None = None
    for i, number in in_order:
        if (
            highest
            and len(highest[1].first) == len(number.first)
            and number.first <= highest[1].last
        ):
            later, earlier = max(i, highest[0]), min(i, highest[0])
            field = "first" if numbers[later].kind == TAGGED_RANGE else "number"
            line = checker.lines.line_of(("number", earlier))
            checker.mistake(
                ("number", later, field), f"is listed already, by the [[number]] of line {line}"
            )
        if (
            highest is None
            or len(highest[1].first) < len(number.first)
            or highest[1].last < number.last
        ):
            highest = (i, number)
    for i, number in enumerate(numbers):
        if not number.linked:
            continue
        linked = next(
            (
                n
                for _, n in readable
                if len(n.first) == len(number.linked) and n.first <= number.linked <= n.last
            ),
            None,
        )
        if linked is None:
            checker.mistake(("number", i, "linked"), "is not listed")
        elif linked.mt_billed or linked.premium or not linked.may_send:
            checker.mistake(
                ("number", i, "linked"), "must be a standard-rate number that may send (G7.1.1)"
            )


def _sender_ids(checker: TomlChecker, given: dict[str, Any]) -> list[str]:
    value = given.get("sender_ids", [])
    if not isinstance(value, list) or not all(isinstance(sender_id, str) for sender_id in value):
        checker.mistake(("sender_ids",), "must be a list of texts in quotes")
        return []
    sender_ids = [address_from_text(sender_id) for sender_id in value]
    for sender_id in sender_ids:
        longest = LONGEST_DIGITS if is_digits(sender_id) else _LONGEST_ALPHA
        if not 0 < len(sender_id) <= longest:
            checker.mistake(
                ("sender_ids",),
                f"{sender_id!r} must have 1 to {longest} characters (3GPP TS 23.040 9.1.2.5)",
            )
    return sender_ids
