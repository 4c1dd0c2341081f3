"""No client of Kafka is made without the login of the settings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CLIENTS = {
    "AIOKafkaAdminClient",
    "AIOKafkaClient",
    "AIOKafkaConsumer",
    "AIOKafkaProducer",
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaProducer",
    "PacedConsumer",
    "TransactionalProducer",
}
OPTIONS = {
    "serving_options",
    "aiokafka_options",
    "kafka_python_options",
    "credentials_to_aiokafka_auth",  # of Faust, from the login that its app has
}
#: What a command keeps trying for a local broker: a login that is refused does not end a command.
COMMANDS = ("pipeline/cli/", "deploy/")


def name_of(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def clients_without_login(tree: ast.AST) -> list[int]:
    """The lines of calls that make a client, or name servers, without the options."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        names_servers = any(each.arg == "bootstrap_servers" for each in node.keywords)
        if name_of(node.func) not in CLIENTS and not names_servers:
            continue
        spread = [each.value for each in node.keywords if each.arg is None]
        given = {name_of(each.func) for each in spread if isinstance(each, ast.Call)}
        if not given & OPTIONS:
            found.append(node.lineno)
    return found


def sources() -> list[Path]:
    folders = ("pipeline", "ingest", "deploy")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_every_client_is_made_with_the_login() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in sources()
        if "deploy/examples" not in path.as_posix()
        if (lines := clients_without_login(ast.parse(path.read_text())))
    }
    assert found == {}


def test_a_process_that_serves_ends_where_it_is_refused() -> None:
    """Only a command makes a client of aiokafka that does not end the process."""
    users = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and name_of(node.func) == "aiokafka_options"
    }
    others = {each for each in users if not each.startswith(COMMANDS)}
    assert others == {"pipeline/kafka/login/options.py"}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        pytest.param("AIOKafkaProducer(bootstrap_servers=b)", [1], id="by the address alone"),
        pytest.param("aiokafka.AIOKafkaConsumer('t', **given)", [1], id="by something else"),
        pytest.param("kind(bootstrap_servers=b)", [1], id="by another name"),
        pytest.param("KafkaConsumer(**kafka_python_options(b), x=1)", [], id="with the options"),
    ],
)
def test_a_client_without_the_login_is_found(source: str, lines: list[int]) -> None:
    assert clients_without_login(ast.parse(source)) == lines
