"""The gateway's reports on MTs: status callbacks by HTTP, XML and SOAP, and SMPP receipts."""

from pipeline.wire.status.report import StatusReport as StatusReport
from pipeline.wire.status.ways import status_report_of as status_report_of
