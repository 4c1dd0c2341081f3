"""docs/gateway.md has the table of faults as the code has them."""

from tests.gateway.faults.table import BEGIN, DOCUMENT, with_table


def test_the_document_has_the_table():
    document = DOCUMENT.read_text()
    assert document.count(BEGIN) == 1
    assert with_table(document) == document, "run: python -m tests.gateway.faults.table"
