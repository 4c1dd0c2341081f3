"""The body of deliver_sm (SMPP 3.4 4.6.1), parse and render. submit_sm has the same (4.4.1)."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.wire.smpp import tlv as smpp_tlv
from pipeline.wire.smpp.octets import Reader, c_string
from pipeline.wire.smpp.tlv import Tlv

LONGEST_SHORT_MESSAGE: Final = 255  # sm_length is one octet; 4.6.1 says 254


class DeliverSm(msgspec.Struct, frozen=True, kw_only=True):
    """Every field as it came; `rest` holds the octets after the last complete parameter."""

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str
    esm_class: int = 0
    protocol_id: int = 0
    priority: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: tuple[Tlv, ...] = ()
    rest: bytes = b""


def render(deliver: DeliverSm) -> bytes:
    """The body on the wire."""
    return b"".join(
        (
            c_string(deliver.service_type),
            bytes((deliver.source_ton, deliver.source_npi)),
            c_string(deliver.source),
            bytes((deliver.destination_ton, deliver.destination_npi)),
            c_string(deliver.destination),
            bytes((deliver.esm_class, deliver.protocol_id, deliver.priority)),
            c_string(deliver.schedule_delivery_time),
            c_string(deliver.validity_period),
            bytes((deliver.registered_delivery, deliver.replace_if_present)),
            bytes((deliver.data_coding, deliver.sm_default_msg_id)),
            bytes((len(deliver.short_message),)),
            deliver.short_message,
            smpp_tlv.render(deliver.tlvs),
            deliver.rest,
        )
    )


def parse(body: bytes) -> DeliverSm | None:
    """The fields of a body; None when a mandatory field is missing."""
    reader = Reader(body)
    service_type = reader.text()
    source_ton, source_npi = reader.next_octets(2)
    source = reader.text()
    destination_ton, destination_npi = reader.next_octets(2)
    destination = reader.text()
    esm_class, protocol_id, priority = reader.next_octets(3)
    schedule_delivery_time = reader.text()
    validity_period = reader.text()
    registered_delivery, replace_if_present, data_coding, sm_default_msg_id = reader.next_octets(4)
    (length,) = reader.next_octets(1)
    short_message = reader.next_octets(length)
    if reader.failed:
        return None
    tlvs, rest = smpp_tlv.parse(body[reader.at :])
    return DeliverSm(
        service_type=service_type,
        source_ton=source_ton,
        source_npi=source_npi,
        source=source,
        destination_ton=destination_ton,
        destination_npi=destination_npi,
        destination=destination,
        esm_class=esm_class,
        protocol_id=protocol_id,
        priority=priority,
        schedule_delivery_time=schedule_delivery_time,
        validity_period=validity_period,
        registered_delivery=registered_delivery,
        replace_if_present=replace_if_present,
        data_coding=data_coding,
        sm_default_msg_id=sm_default_msg_id,
        short_message=short_message,
        tlvs=tlvs,
        rest=rest,
    )
