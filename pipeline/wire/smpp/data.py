"""The body of data_sm (SMPP 3.4 4.7.1), parse and render: a deliver_sm with fewer fields."""

from __future__ import annotations

from pipeline.wire.smpp import tlv as smpp_tlv
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.octets import Reader, c_string


def render(deliver: DeliverSm) -> bytes:
    """The body on the wire. Values for which data_sm has no field are left out."""
    return b"".join(
        (
            c_string(deliver.service_type),
            bytes((deliver.source_ton, deliver.source_npi)),
            c_string(deliver.source),
            bytes((deliver.destination_ton, deliver.destination_npi)),
            c_string(deliver.destination),
            bytes((deliver.esm_class, deliver.registered_delivery, deliver.data_coding)),
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
    esm_class, registered_delivery, data_coding = reader.next_octets(3)
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
        registered_delivery=registered_delivery,
        data_coding=data_coding,
        tlvs=tlvs,
        rest=rest,
    )
