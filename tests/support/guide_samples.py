"""The samples of the guide, octet for octet, with its misspellings and its malformed requests."""

# G8.3.4: the id element ends in an l and a d.
GUIDE_XML = b"""data=<?xml version="1.0"?>
<clickmo>
  <api_id>xxx</api_id>
  <moMsgld>fa6ba35b330ce1bc7e2008e5d92d57aa</moMsgld>
  <from>handset_number_here</from>
  <to>mo_number_here</to>
  <timestamp>2007-02-26 14:36:50</timestamp>
  <text>xxx</text>
  <charset>ISO-8859-1</charset>
  <udh></udh>
</clickmo>"""

# G8.3.5: a line break inside an attribute, and no blank behind it.
GUIDE_SOAP = b"""Data=<?xml version="1.0" encoding="ISO-8859-1"?>
<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"
xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-
instance"xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" xmlns:tns="clickatell_mo">
<SOAP-ENV:Body>
<tns:mo_callback xmlns:tns="clickatell_mo">
<api_id xsi:type="xsd:int">xyz</api_id>
<from xsi:type="xsd:string">xyz</from>
<to xsi:type="xsd:string">xyz</to>
<timestamp xsi:type="xsd:string">xyz</timestamp>
<charset xsi:type="xsd:string">xyz</charset>
<udh xsi:type="xsd:string">xyz</udh>
<text xsi:type="xsd:string">xyz</text>
<momsgid xsi:type="xsd:string">xyz</momsgid>
</tns:mo_callback>
</SOAP-ENV:Body>
</SOAP-ENV:Envelope>"""
