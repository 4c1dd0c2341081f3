"""The golden rows of what is received: each row is tested, or says why it is not."""

from pathlib import Path

import pytest

from tests.support.golden_rows import GOLDEN, all_rows, golden_rows

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    "charset_text",
    "clickatell_mo_http",
    "clickatell_mo_platform_json",
    "clickatell_mo_xml_soap_ftp",
    "multipart_reassembly",
    "spec_rules_mo",
    "udh_parse",
]


@pytest.mark.parametrize("name", FILES)
def test_a_row_is_named_once_and_says_where_it_comes_from(name):
    rows = all_rows(name)
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["source"] and row["input"] for row in rows)
    assert all(row["ours"]["because"] for row in rows if "ours" in row)


@pytest.mark.parametrize("name", FILES)
def test_a_row_that_does_not_apply_says_why_and_has_no_outcome_of_ours(name):
    for row in all_rows(name):
        if "not_here" in row:
            assert len(row["not_here"].split()) > 5
            assert "ours" not in row


@pytest.mark.parametrize("row", golden_rows("spec_rules_mo"))
def test_a_rule_of_the_guide_names_the_tests_that_hold_it(row):
    assert row["tests"]
    assert all((ROOT / name).is_file() for name in row["tests"])


def test_the_files_are_there():
    assert {f"{name}.jsonl" for name in FILES} <= {path.name for path in GOLDEN.iterdir()}
