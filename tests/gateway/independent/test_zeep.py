"""zeep reads `?wsdl`, calls the SOAP API, and checks each answer against the WSDL."""

import asyncio
from typing import Any

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from tests.gateway.independent.tools import module
from tests.gateway.ways import HANDSET, NUMBER, of_kind

#: The schema that the WSDL imports by its namespace, without a location (WSDL 1.1, 2.2).
ENCODING = b"""<schema xmlns="http://www.w3.org/2001/XMLSchema"
 targetNamespace="http://schemas.xmlsoap.org/soap/encoding/">
 <attribute name="arrayType" type="string"/>
 <complexType name="Array"><sequence><any minOccurs="0" maxOccurs="unbounded"/></sequence>
 <attribute name="arrayType" type="string"/></complexType></schema>"""
NOTHING = {"deliv_time": 0, "max_credits": 0.0, "req_feat": 0, "queue": 0, "escalate": 0}
OTHER = "447700900002"
EMPTY = {"msg_type": "", "udh": "", "data": "", "validity": 0}


async def test_it_reads_the_description_and_sends(play):
    zeep = module("zeep", "zeep")

    element = zeep.xsd.Element("item", zeep.xsd.String())

    def item(words: str) -> Any:
        return zeep.xsd.AnyObject(element, words)

    class Transport(zeep.Transport):
        """Return the known documents, and fetch nothing over the network."""

        def load(self, url: str) -> bytes:
            return ENCODING if url.startswith("http://schemas.xmlsoap.org/") else super().load(url)

    def talk(url: str) -> tuple[list[str], list[str], str]:
        service = zeep.Client(f"{url}?wsdl", transport=Transport()).service
        session = service.auth(int(API_IDS["soap"]), "demo", "stand-in").removeprefix("OK: ")
        login = {"session_id": session, "api_id": 0, "user": "", "password": ""}
        sent = service.sendmsg(
            **login,
            to=[item(handset) for handset in (HANDSET, OTHER)],
            **{"from": NUMBER},
            text="Käse & Brot",
            concat=1,
            deliv_ack=0,
            callback=0,
            mo=1,
            cliMsgId="abc",
            unicode=0,
            **NOTHING,
            **EMPTY,
        )
        asked = service.querymsg(**login, apiMsgId="", cliMsgId="abc")
        return sent, asked, service.getbalance(**login)

    async with play() as played:
        sent, asked, balance = await asyncio.to_thread(talk, played.gateway.urls["soap"])
        events = of_kind(played.gateway, EventKind.SUBMITTED)
        assert sent == [f"ID: {event.message_id} To: {event.handset}" for event in events]
        assert {event.text for event in events} == {"Käse & Brot"}
        assert asked[0].startswith(f"ID: {events[1].message_id} Status: 00")
        assert balance == "Credit: 998.000"
