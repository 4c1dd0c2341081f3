"""The records of the topics, one class a record; `schemas/<record>/` says what each field means.

Import a record from here: which file defines it is for the reader of records only, and a class may
move between the files. A record is a value: stages return new ones.
"""

from pipeline.records.accounts import (
    AccountCharge,
    AccountCredit,
    AccountEntry,
    AccountMode,
    AccountNotice,
    AccountRelease,
    AccountTerms,
    ChargeKind,
    CreditKind,
    EntryKind,
)
from pipeline.records.clock import Clock
from pipeline.records.consent import (
    ConsentAction,
    ConsentChange,
    ConsentRequest,
    ConsentRule,
    ConsentState,
    Scope,
    ScopeKind,
)
from pipeline.records.dead_letter import (
    DeadLetter,
    DeadLetterRetry,
    Header,
    Reason,
    Rejected,
    Stage,
)
from pipeline.records.delivery import (
    DeliveryAction,
    DeliveryKind,
    DeliveryOutcome,
    DeliveryRequest,
    DeliveryState,
    MoDelivery,
    MoDeliveryResult,
)
from pipeline.records.erasure import ErasedRows, Erasure, ForgetRequest, KeptStop
from pipeline.records.mo import Answered, Flag, MoMessage, MoPart, MoRaw, Source
from pipeline.records.mt import (
    GateRule,
    MtCommand,
    MtRejection,
    MtRequest,
    Purpose,
)
from pipeline.records.numbers import CustomReply, Number, Numbers, ReplyPath, ReplyWay
from pipeline.records.record import Record
from pipeline.records.report_access import AccessAction, ReportAccess
from pipeline.records.sending import (
    AskKind,
    CommandState,
    MtAsk,
    MtResult,
    MtState,
    Outcome,
    SeenBy,
)

__all__ = [
    "AccessAction",
    "AccountCharge",
    "AccountCredit",
    "AccountEntry",
    "AccountMode",
    "AccountNotice",
    "AccountRelease",
    "AccountTerms",
    "Answered",
    "AskKind",
    "ChargeKind",
    "Clock",
    "CommandState",
    "ConsentAction",
    "ConsentChange",
    "ConsentRequest",
    "ConsentRule",
    "ConsentState",
    "CreditKind",
    "CustomReply",
    "DeadLetter",
    "DeadLetterRetry",
    "DeliveryAction",
    "DeliveryKind",
    "DeliveryOutcome",
    "DeliveryRequest",
    "DeliveryState",
    "EntryKind",
    "ErasedRows",
    "Erasure",
    "Flag",
    "ForgetRequest",
    "GateRule",
    "Header",
    "KeptStop",
    "MoDelivery",
    "MoDeliveryResult",
    "MoMessage",
    "MoPart",
    "MoRaw",
    "MtAsk",
    "MtCommand",
    "MtRejection",
    "MtRequest",
    "MtResult",
    "MtState",
    "Number",
    "Numbers",
    "Outcome",
    "Purpose",
    "Reason",
    "Record",
    "Rejected",
    "ReplyPath",
    "ReplyWay",
    "ReportAccess",
    "Scope",
    "ScopeKind",
    "SeenBy",
    "Source",
    "Stage",
]
