"""The records of the topics, one class a record; `schemas/<record>/` says what each field means.

Times are aware UTC. A record is a value: stages return new ones.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Source(StrEnum):
    """The way something came from the gateway: parts (G8.3), and statuses of what was sent."""

    HTTP = "http"
    XML = "xml"
    SOAP = "soap"
    SMPP = "smpp"
    FTP = "ftp"
    STATUS_HTTP = "status-http"
    STATUS_XML = "status-xml"
    STATUS_SOAP = "status-soap"


class Flag(StrEnum):
    """What was odd about a part or message. Nothing flagged is dropped."""

    BYTE_ORDER_SWAPPED = "byte-order-swapped"
    ID_REUSED = "id-reused"
    LATE_PART = "late-part"
    MALFORMED_UDH = "malformed-udh"
    MIXED_CHARSET = "mixed-charset"
    MANY_INCOMPLETE = "many-incomplete"
    NOT_INTERNATIONAL = "not-international"
    NO_CONSENT = "no-consent"
    REPAIRED = "repaired"
    REVIEW = "review"
    RECEIPT_TIME_REPLACED = "receipt-time-replaced"
    TIMESTAMP_IMPLAUSIBLE = "timestamp-implausible"
    TIMESTAMP_UNREADABLE = "timestamp-unreadable"
    UNEXPECTED_CHARSET = "unexpected-charset"
    UNEXPECTED_DATA_CODING = "unexpected-data-coding"
    UNKNOWN_API_ID = "unknown-api-id"
    UNKNOWN_CHARSET = "unknown-charset"
    UNKNOWN_LANGUAGE_TABLE = "unknown-language-table"
    UNKNOWN_NUMBER = "unknown-number"


class ConsentState(StrEnum):
    """Consent in one scope, ours or the gateway's. Only `open` lets an MT pass."""

    OPEN = "open"
    CONFIRMATION_DUE = "confirmation-due"
    STOPPED = "stopped"


class ConsentRule(StrEnum):
    """Why consent changed (G7)."""

    STOP_WORD = "stop-word"
    STOP_ALL = "stop-all"
    KEYWORD_STOP = "keyword-stop"
    RE_ENABLED = "re-enabled"
    CONFIRMED = "confirmed"
    GATEWAY_CONFIRMED = "gateway-confirmed"
    OPERATOR = "operator"
    SUPPRESSION = "suppression"
    GATEWAY_SAID = "gateway-said"


class ConsentAction(StrEnum):
    """What a `ConsentRequest` orders; `accept` and `dismiss` decide a review."""

    STOP = "stop"
    OPEN = "open"
    ACCEPT = "accept"
    DISMISS = "dismiss"


class ScopeKind(StrEnum):
    """What a stop applies to."""

    NUMBER = "number"
    RANGE = "range"
    KEYWORD = "keyword"
    ACCOUNT = "account"


class Purpose(StrEnum):
    """Why an MT is sent."""

    REPLY = "reply"
    CONFIRMATION = "confirmation"
    CUSTOM_REPLY = "custom-reply"
    HELP = "help"


class GateRule(StrEnum):
    """Why an MT is not sent, in the order the gate asks.

    `expired` and `opted-out-before-sent` are of commands that wait to be sent, too.
    """

    OPTED_OUT = "opted-out"
    NOT_INTERNATIONAL = "not-international"
    OWN_NUMBER = "own-number"
    SENDER_NOT_ALLOWED = "sender-not-allowed"
    KEYWORD_NEEDED = "keyword-needed"
    TEXT_EMPTY = "text-empty"
    TEXT_TOO_LONG = "text-too-long"
    CONFIRMATION_NOT_DUE = "confirmation-not-due"
    ID_REUSED = "id-reused"
    EXPIRED = "expired"
    TOO_MANY_OPEN = "too-many-open"
    OPTED_OUT_BEFORE_SENT = "opted-out-before-sent"


class Outcome(StrEnum):
    """What became of a command."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class CommandState(StrEnum):
    """How a command stands. `waiting` to `unknown` are open; the others may still be corrected."""

    WAITING = "waiting"
    PERMITTED = "permitted"
    UNKNOWN = "unknown"
    FAILED = "failed"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"


class AskKind(StrEnum):
    """What a sender wants of the worker."""

    ASK = "ask"
    WITHDRAW = "withdraw"


class SeenBy(StrEnum):
    """What brought a state of a command: whose word it rests on."""

    GATE = "gate"
    ASK = "ask"
    ANSWER = "answer"
    CALLBACK = "callback"
    RECEIPT = "receipt"
    QUERY = "query"
    LAPSE = "lapse"
    OPERATOR = "operator"
    STOP = "stop"


class Stage(StrEnum):
    """Where something was refused."""

    INGEST = "ingest"
    NORMALISE = "normalise"
    CONSENT = "consent"
    GATE = "gate"
    SENDING = "sending"
    STORE = "store"


class Reason(StrEnum):
    """Why something went to the dead letter."""

    MISSING_FROM = "missing-from"
    MISSING_TO = "missing-to"
    BROKEN_PERCENT_ENCODING = "broken-percent-encoding"
    NOT_XML = "not-xml"
    UNREADABLE_RECORD = "unreadable-record"
    WRONG_ORDER = "wrong-order"
    FAILED = "failed"
    TOO_LONG = "too-long"
    TOO_LARGE = "too-large"
    TIME_NOT_BELIEVED = "time-not-believed"


class Rejected(msgspec.Struct, frozen=True):
    """Bad data, as a value: it goes to the dead letter and the offset moves."""

    reason: Reason
    words: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record; the class name is the Avro record's name."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A deliver_sm whose answer has reached the gateway."""

    key: bytes
    bind: str
    delivery: int


class MoRaw(Record, frozen=True, kw_only=True):
    source: str
    received_at: datetime
    method: str
    content_type: str
    query: bytes
    octets: bytes
    alphabet: str = ""
    bind: str = ""
    delivery: int = 0
    answered: list[Answered] = []
    neighbour_time: datetime | None = None


class MoPart(Record, frozen=True, kw_only=True):
    part_id: str
    handset: str
    number: str
    api_id: str
    mo_msg_id: str
    source: str
    gateway_time: datetime
    received_at: datetime
    charset: str
    charset_given: str
    octets: bytes
    udh: bytes
    reference_bits: int
    reference: int
    parts_total: int
    part_number: int
    network_id: str
    flags: list[str]
    raw_partition: int
    raw_offset: int


class MoMessage(Record, frozen=True, kw_only=True):
    message_id: str
    handset: str
    number: str
    text: str
    octets: bytes
    charset: str
    api_id: str
    account: str
    mo_msg_ids: list[str]
    part_ids: list[str]
    gateway_time: datetime
    received_at: datetime
    parts_total: int
    parts_missing: list[int]
    complete: bool
    lossy: bool
    flags: list[str]
    source: str
    network_id: str


class ConsentChange(Record, frozen=True, kw_only=True):
    change_id: str
    handset: str
    scope_kind: str
    scope: str
    state: str
    gateway_state: str
    previous_state: str
    previous_gateway_state: str
    rule: str
    mo_message_id: str
    number: str
    at: datetime
    recorded_at: datetime
    confirmation_due_at: datetime | None = None
    confirmation_deadline: datetime | None = None
    actor: str = ""
    reason: str = ""


class MtRequest(Record, frozen=True, kw_only=True):
    request_id: str
    to: str
    text: str
    sender_id: str | None = None
    keyword: str | None = None
    api_id: str | None = None
    confirms_opt_out: bool = False
    requested_at: datetime
    not_after: datetime | None = None


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A scope: `number`/digits, `range`/first-last, `keyword`/code/KEYWORD, `account`/name."""

    scope_kind: str
    scope: str


class MtCommand(Record, frozen=True, kw_only=True):
    command_id: str
    request_id: str
    purpose: str
    sender_id: str
    handset: str
    text: str
    mo: bool
    reply_expected: bool
    reply_note: str
    at: datetime
    not_after: datetime
    scopes: list[Scope]
    api_id: str
    account: str
    keyword: str
    encoding: str
    parts: int
    mo_message_id: str


class MtRejection(Record, frozen=True, kw_only=True):
    rejection_id: str
    request_id: str
    command_id: str = ""
    handset: str
    sender_id: str
    rule: str
    detail: str
    mo_message_id: str
    caused_at: datetime | None = None
    scope_kind: str = ""
    scope: str = ""
    at: datetime


class MtResult(Record, frozen=True, kw_only=True):
    result_id: str
    command_id: str
    request_id: str
    handset: str
    outcome: str
    final: bool
    gateway_message_id: str
    code: str
    words: str
    attempt: int
    at: datetime
    way: str = ""
    api_id: str = ""
    holder: str = ""
    part_number: int = 0
    gateway_message_ids: list[str] = []
    status: str = ""
    charge: str = ""
    gateway_at: datetime | None = None
    source: str = SeenBy.ANSWER.value
    is_temporary: bool = False
    retry_after_seconds: int = 0


class MtAsk(Record, frozen=True, kw_only=True):
    ask_id: str
    kind: str
    command_id: str
    handset: str
    sender_id: str
    attempt: int
    holder: str
    at: datetime


class MtState(Record, frozen=True, kw_only=True):
    state_id: str
    command_id: str
    request_id: str
    handset: str
    state: str
    attempt: int
    parts: list[int]
    holder: str
    until: datetime | None
    retry_at: datetime | None
    behind: str
    gateway_message_ids: list[str]
    code: str
    words: str
    charge: str
    charge_units: int
    source: str
    ask_gateway: bool
    consent_asked_at: datetime | None
    at: datetime


class ConsentRequest(Record, frozen=True, kw_only=True):
    request_id: str
    handset: str
    number: str = ""
    keyword: str = ""
    account: str = ""
    action: str
    mo_message_id: str = ""
    actor: str
    reason: str
    requested_at: datetime


class ForgetRequest(Record, frozen=True, kw_only=True):
    request_id: str
    handset: str
    actor: str
    reason: str
    requested_at: datetime


class ErasedRows(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows were removed from one of the agent's tables."""

    name: str
    rows: int


class KeptStop(msgspec.Struct, frozen=True, kw_only=True):
    """A scope that stays stopped when its handset is forgotten."""

    scope_kind: str
    scope: str
    state: str
    gateway_state: str
    since: datetime


class Erasure(Record, frozen=True, kw_only=True):
    erasure_id: str
    suppression: str
    key_id: str
    request_id: str
    order_offset: int
    at: datetime
    actor: str
    reason: str
    rows: list[ErasedRows]
    stops: list[KeptStop]


class CustomReply(msgspec.Struct, frozen=True, kw_only=True):
    """Reply to a stop word or HELP (G7.2); `sent_by` is `us` or `gateway`."""

    word: str
    enabled: bool
    text: str | None
    sent_by: str


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A rented number or tagged range; `first` equals `last` for a single number."""

    first: str
    last: str
    kind: str
    api_id: str
    account: str
    keywords: list[str]
    premium: bool
    mt_billed: bool
    linked: str
    may_send: bool
    strict: bool
    extra_stop_words: list[str]
    custom_replies: list[CustomReply]
    stop_words: list[str] = []


class Numbers(Record, frozen=True, kw_only=True):
    loaded_at: datetime
    digest: str
    numbers: list[Number]
    sender_ids: list[str]


class Clock(Record, frozen=True, kw_only=True):
    time: datetime
    origin: str


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header of the record or request that was refused."""

    name: str
    value: bytes


class DeadLetter(Record, frozen=True, kw_only=True):
    dead_letter_id: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: list[Header]
    octets: bytes
    source: str
    stage: str
    reason: str
    words: str
    at: datetime
    whole_length: int = 0
    whole_sha256: str = ""


class DeadLetterRetry(Record, frozen=True, kw_only=True):
    dead_letter_id: str
    topic: str
    reason: str
    words: str
    actor: str
    at: datetime
