"""Reads an SMPP receipt as a report."""

from __future__ import annotations

from pipeline.records import Rejected, SeenBy
from pipeline.sms.msisdn import address_from_text
from pipeline.wire.smpp.callback import deliver_from_octets, is_receipt
from pipeline.wire.smpp.receipt import receipt_from_deliver
from pipeline.wire.status.report import StatusReport


def report_from_pdu(octets: bytes) -> StatusReport | Rejected | None:
    """The report in a whole PDU; None if the PDU is a message, or no delivery.

    In a receipt the source is the handset (SMPP 3.4, 2.11).
    """
    deliver = deliver_from_octets(octets)
    if deliver is None or isinstance(deliver, Rejected):
        return deliver
    if not is_receipt(deliver):
        return None
    receipt = receipt_from_deliver(deliver)
    return StatusReport(
        handset=address_from_text(deliver.source),
        gateway_message_id=receipt.message_id,
        status=receipt.status,
        gateway_at=receipt.at,
        number=address_from_text(deliver.destination),
        source=SeenBy.RECEIPT.value,
        words=receipt.words,
    )
