"""The documentation: generated pages are up to date, links have targets, alerts have answers."""

from __future__ import annotations

import importlib
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from pipeline.cli.main import app
from pipeline.kafka import topics
from pipeline.kafka.readers import CHANGELOGS
from pipeline.records import Flag, GateRule, Reason
from pipeline.settings import Settings
from pipeline.sms.words.stopword_sets import SETS
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.meanings import meaning_of
from tests.contract.compose_file import loaded
from tests.contract.documents import DOCS, data_page, settings_page, views_of
from tests.contract.kafka_page import with_permissions

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("deploy/**/*.md"))]
PAGES += [ROOT / "schemas/README.md", *sorted(ROOT.glob("pipeline/**/README.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FILE = re.compile(r"`((?:pipeline|ingest|schemas|deploy|tests|docs)/[\w./-]*\w)`")
DECISION = re.compile(r"deploy/decisions/\d{4}")  # named by its number
GLOSSARY_WORDS = 20


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def broken_links(page: Path) -> list[str]:
    """The links of a page that have no target in this checkout."""
    broken = []
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[a](README.md)", []),
        ("[a](none.md)", ["none.md"]),
        ("# One\n[a](#one) [b](#two)", ["#two"]),
        ("[a](https://example.org)", []),
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, text: str, broken: list[str]) -> None:
    (tmp_path / "README.md").write_text("words")
    page = tmp_path / "page.md"
    page.write_text(text)
    assert broken_links(page) == broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = {name.rstrip("/") for name in FILE.findall(page.read_text())}
    missing = {name for name in named if not (ROOT / name).exists()}
    assert {name for name in missing if not DECISION.fullmatch(name)} == set()


def test_the_kafka_page_is_what_the_principals_say() -> None:
    page = (DOCS / "kafka.md").read_text()
    assert with_permissions(page) == page


def test_the_settings_page_is_what_the_settings_say() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page()


def test_the_data_dictionary_is_what_schemas_and_engine_say() -> None:
    """`python -m tests.contract.documents` writes both pages."""
    with tempfile.TemporaryDirectory() as folder, Database(Settings(home=Path(folder))) as database:
        assert (DOCS / "data.md").read_text() == data_page(views_of(database))


def test_a_column_that_nothing_describes_is_found() -> None:
    with pytest.raises(KeyError):
        meaning_of("mo_message", "no_such_column")


def test_every_alert_has_its_answer() -> None:
    rules = loaded(ROOT / "deploy/prometheus/rules.yml")
    found = (rule for group in rules["groups"] for rule in group["rules"])
    alerts = {rule["alert"] for rule in found if "alert" in rule}
    assert alerts
    answered = first_cells((DOCS / "operating.md").read_text(), "Alerts")
    more = first_cells((DOCS / "watching.md").read_text(), "More alerts")
    assert answered | more == alerts
    assert not answered & more


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 200


def test_the_glossary_is_short() -> None:
    rows = re.findall(r"^\| (?!word|---)", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    assert 0 < len(rows) <= GLOSSARY_WORDS


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text()
    assert {page.name for page in DOCS.glob("*.md") if f"({page.name})" not in index} == {
        "README.md"
    }


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"`make (\w+)", page.read_text())}
    assert named <= targets


def test_every_command_that_is_named_exists() -> None:
    """`twoway X` in the README and in `docs/` is a command of the command line."""
    command = typer.main.get_command(app)
    known = set(command.commands)  # type: ignore[attr-defined]
    named = {
        word
        for page in (ROOT / "README.md", *DOCS.glob("*.md"))
        for word in re.findall(r"(?:`|\.venv/bin/)twoway ([a-z][a-z-]*)", page.read_text())
    }
    assert named
    assert named <= known


@pytest.mark.parametrize(
    ("page", "section", "words"),
    [
        ("consent.md", "Flags of a part or message", list(Flag)),
        ("consent.md", "The rules of the gate", list(GateRule)),
        ("operating.md", "Dead letters", list(Reason)),
    ],
    ids=["flags", "gate-rules", "reasons"],
)
def test_every_word_of_a_list_has_its_row(page: str, section: str, words: list[str]) -> None:
    named = first_cells((DOCS / page).read_text(), section)
    assert named == set(map(str, words))


def test_a_word_without_a_row_is_found() -> None:
    page = "## One\n| word | b |\n|---|---|\n| `a`, `b` | `c` |\n## Two\n| `d` | e |\n"
    assert first_cells(page, "One") == {"a", "b"}


def first_cells(page: str, section: str) -> set[str]:
    """The names in code type in the first column of a section's tables."""
    _, _, rest = page.partition(f"## {section}\n")
    rows = re.findall(r"^\| (`[^|]*) \|", rest.partition("\n## ")[0], re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_every_stop_word_set_is_named() -> None:
    text = (DOCS / "consent.md").read_text()
    assert {name for name in SETS if f"`{name}`" not in text} == set()


def test_every_topic_is_in_the_data_dictionary_or_is_the_workers_own() -> None:
    headings = re.findall(r"^### `([\w-]+)`", (DOCS / "data.md").read_text(), re.MULTILINE)
    own = set(topics.topics()) - set(headings)
    text = (DOCS / "operating.md").read_text()
    assert own == CHANGELOGS
    assert {name for name in own if f"`{name}`" not in text} == set()


def test_every_command_is_named_in_a_page() -> None:
    """Commands below a command, such as `numbers load`, too."""
    text = " ".join(page.read_text() for page in (ROOT / "README.md", *DOCS.glob("*.md")))
    command = typer.main.get_command(app)
    every = {
        f"{name} {below}" if below else name
        for name, each in command.commands.items()  # type: ignore[attr-defined]
        for below in (getattr(each, "commands", None) or [""])
    }
    assert {name for name in every if not re.search(rf"twoway {name}\b", text)} == set()


def unlisted(folder: Path) -> set[str]:
    """The modules of a folder, and of the folders in it, that its README does not name."""
    words = (folder / "README.md").read_text()
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    return {name for name in files if "__init__" not in name and f"`{name}`" not in words}


@pytest.mark.parametrize("folder", ["pipeline/engine", "pipeline/kafka/client"])
def test_every_module_is_in_the_readme_of_its_folder(folder: str) -> None:
    assert unlisted(ROOT / folder) == set()


def test_a_module_that_is_not_listed_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("`one.py`")
    for name in ("one.py", "two.py", "__init__.py"):
        (tmp_path / name).touch()
    assert unlisted(tmp_path) == {"two.py"}


BOUND = re.compile(r"^\| [^|]+ \| ([\d,.]+)(?: \w+)? \| `([\w.]+):([\w.]+)` \|$", re.MULTILINE)


def value_of(module: str, path: str) -> float:
    """A constant by module and name, or a dataclass's field by its default; times in seconds."""
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found() if isinstance(found, type) else found, name)
    return float(found.total_seconds() if isinstance(found, timedelta) else found)


def wrong_bounds(page: str) -> list[str]:
    """The rows of a table of bounds that differ from the code."""
    return [
        f"{module}:{path} is {value_of(module, path)}"
        for shown, module, path in BOUND.findall(page)
        if float(shown.replace(",", "")) != value_of(module, path)
    ]


def test_every_bound_is_what_the_code_has() -> None:
    page = (DOCS / "security.md").read_text()
    _, _, table = page.partition("| constant |\n|---|---|---|\n")
    rows = table.partition("\n\n")[0].splitlines()
    assert len(rows) == len(BOUND.findall(page)) > 50
    assert wrong_bounds(page) == []


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("| a | 800,000 octets | `pipeline.dead_letters:MOST_OCTETS` |", 0),
        ("| a | 800,001 octets | `pipeline.dead_letters:MOST_OCTETS` |", 1),
        ("| a | 10 s | `ingest.http.limits:Limits.head_seconds` |", 0),
        ("| a | 5 s | `pipeline.engine.bounded_times:MOST_AHEAD` |", 1),
    ],
)
def test_a_wrong_bound_is_found(row: str, wrong: int) -> None:
    assert len(wrong_bounds(row)) == wrong
