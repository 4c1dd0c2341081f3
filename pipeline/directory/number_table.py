"""One `[[number]]` of `numbers.toml`: its fields, each with what it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.directory.account_table import PRICES, price_from_table
from pipeline.records import CustomReply, Number
from pipeline.sms.msisdn import is_digits
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
    from pipeline.directory.checker import TomlChecker
    from pipeline.directory.lines import TomlPath

VMN: Final = "vmn"
TAGGED_RANGE: Final = "tagged-range"
SHORT_CODE: Final = "short-code"
SHARED_SHORT_CODE: Final = "shared-short-code"
KINDS: Final = (VMN, TAGGED_RANGE, SHORT_CODE, SHARED_SHORT_CODE)
SENT_BY: Final = ("us", "gateway")


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
        "reply_path",
        *PRICES,
    ]
)
_REPLY_FIELDS: Final = frozenset(("enabled", "text", "sent_by"))


def number_from_table(
    checker: TomlChecker, table: dict[str, Any], path: TomlPath, default_account: str
) -> Number:
    """The number of one table; what is wrong with it goes to the checker's mistakes."""
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
        reply_path=checker.text(table, (*path, "reply_path")),
        mo_price_units=price_from_table(checker, table, (*path, "mo_price")),
        mt_price_units=price_from_table(checker, table, (*path, "mt_price")),
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
    """The names of sets of stop words, in lower case and each once."""
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
