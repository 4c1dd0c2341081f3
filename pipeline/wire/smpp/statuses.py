"""Why an SMSC refuses: the names of command_status, and whether another try may succeed."""

from __future__ import annotations

from typing import Final

from pipeline.wire.smpp.pdu import Status

#: SMPP 3.4 5.1.3. Clickatell's list (SMPP API 2.5.2, appendix A) is a part of it.
NAMES: Final = {
    0x00: "ESME_ROK",
    0x01: "ESME_RINVMSGLEN",
    0x02: "ESME_RINVCMDLEN",
    0x03: "ESME_RINVCMDID",
    0x04: "ESME_RINVBNDSTS",
    0x05: "ESME_RALYBND",
    0x06: "ESME_RINVPRTFLG",
    0x07: "ESME_RINVREGDLVFLG",
    0x08: "ESME_RSYSERR",
    0x0A: "ESME_RINVSRCADR",
    0x0B: "ESME_RINVDSTADR",
    0x0C: "ESME_RINVMSGID",
    0x0D: "ESME_RBINDFAIL",
    0x0E: "ESME_RINVPASWD",
    0x0F: "ESME_RINVSYSID",
    0x11: "ESME_RCANCELFAIL",
    0x13: "ESME_RREPLACEFAIL",
    0x14: "ESME_RMSGQFUL",
    0x15: "ESME_RINVSERTYP",
    0x33: "ESME_RINVNUMDESTS",
    0x34: "ESME_RINVDLNAME",
    0x40: "ESME_RINVDESTFLAG",
    0x42: "ESME_RINVSUBREP",
    0x43: "ESME_RINVESMCLASS",
    0x44: "ESME_RCNTSUBDL",
    0x45: "ESME_RSUBMITFAIL",
    0x48: "ESME_RINVSRCTON",
    0x49: "ESME_RINVSRCNPI",
    0x50: "ESME_RINVDSTTON",
    0x51: "ESME_RINVDSTNPI",
    0x53: "ESME_RINVSYSTYP",
    0x54: "ESME_RINVREPFLAG",
    0x55: "ESME_RINVNUMMSGS",
    0x58: "ESME_RTHROTTLED",
    0x61: "ESME_RINVSCHED",
    0x62: "ESME_RINVEXPIRY",
    0x63: "ESME_RINVDFTMSGID",
    0x64: "ESME_RX_T_APPN",
    0x65: "ESME_RX_P_APPN",
    0x66: "ESME_RX_R_APPN",
    0x67: "ESME_RQUERYFAIL",
    0xC0: "ESME_RINVOPTPARSTREAM",
    0xC1: "ESME_ROPTPARNOTALLWD",
    0xC2: "ESME_RINVPARLEN",
    0xC3: "ESME_RMISSINGOPTPARAM",
    0xC4: "ESME_RINVOPTPARAMVAL",
    0xFE: "ESME_RDELIVERYFAILURE",
    0xFF: "ESME_RUNKNOWNERR",
}
#: The SMSC asks us to send more slowly.
THROTTLED: Final = frozenset({Status.THROTTLED, Status.QUEUE_FULL})
#: Of the SMSC and not of the message; Kannel tries these again too. All others are final.
TEMPORARY_STATUSES: Final = THROTTLED | {
    Status.SYSTEM_ERROR,
    Status.TRY_AGAIN,
    Status.INVALID_BIND_STATUS,  # the SMSC takes us for not bound: the next bind may be better
}


def code_of(status: int) -> str:
    """The code in the form of the standard: 0x and eight hex digits."""
    return f"0x{status:08X}"


def name_of(status: int) -> str:
    """The name in the standard, or the range of the status."""
    return NAMES.get(status) or (
        "an error of the gateway's own" if 0x400 <= status <= 0x4FF else "a reserved error"
    )
