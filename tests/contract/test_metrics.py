"""Every metric that an alert or a panel names is one that the code has, with the labels it has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import ingest.ftp.metrics
import ingest.smpp.metrics
import pipeline.accounts.metrics
import pipeline.delivery.metrics
import pipeline.engine.metrics
import pipeline.process.hang
import pipeline.sender.metrics
import pipeline.store.metrics
from ingest.http.metrics import Metrics
from tests.contract.compose_file import ROOT, compose

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
NAMED = re.compile(r"\btwoway_\w+")
SELECTED = re.compile(r"\b(twoway_\w+)\{([^}]*)\}")
BY = re.compile(r"\b(?:by|on) \(([^)]*)\)")
OF_PROMETHEUS = {"le", "instance", "job"}
SEVERITIES = {"page", "ticket"}
PROMTOOL = shutil.which("promtool") or ""
WORDS_OF_ALERTS = {"summary", "description"}


MODULES = (
    pipeline.accounts.metrics,
    pipeline.engine.metrics,
    pipeline.store.metrics,
    pipeline.sender.metrics,
    pipeline.process.hang,
    pipeline.delivery.metrics,
    ingest.smpp.metrics,
    ingest.ftp.metrics,
)


def metrics_in_code() -> dict[str, set[str]]:
    """Every name a scrape may show, with its labels, of every process."""
    of_http = Metrics().registry
    ours = [
        each
        for module in MODULES
        for each in vars(module).values()
        if isinstance(each, MetricWrapperBase)
    ]
    found = {name: set(each._labelnames) for each in ours for name in names_of(each)}
    for each in set(of_http._collector_to_names):
        found |= {name: set(each._labelnames) for name in names_of(each)}
    return found


def names_of(metric: Any) -> list[str]:
    """The names of its series; a histogram has three."""
    base = metric._name
    match metric._type:
        case "counter":
            return [f"{base}_total"]
        case "histogram":
            return [f"{base}_bucket", f"{base}_sum", f"{base}_count"]
    return [base]


IN_CODE = metrics_in_code()


def alerts() -> list[dict[str, Any]]:
    """Every rule."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[Any]:
    """Every expression of the rules and the dashboards, named."""
    for rule in alerts():
        yield pytest.param(rule["expr"], id=f"alert {rule['alert']}")
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                name = f"{path.stem}, {panel['title']} {target['refId']}"
                yield pytest.param(target["expr"], id=name)


def unknown(expression: str) -> list[str]:
    """The names and labels in an expression that the code has not."""
    named = NAMED.findall(expression)
    wrong = [name for name in named if name not in IN_CODE]
    labels = {label for name in named for label in IN_CODE.get(name, set())} | OF_PROMETHEUS
    asked = [label.strip() for group in BY.findall(expression) for label in group.split(",")]
    for name, selectors in SELECTED.findall(expression):
        has = IN_CODE.get(name, set()) | OF_PROMETHEUS
        asked_of_one = [part.split("=")[0].strip(" !~") for part in selectors.split(",")]
        wrong += [f"{name}{{{label}}}" for label in asked_of_one if label not in has]
    return wrong + [label for label in asked if label not in labels]


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_names_what_the_code_has(expression: str) -> None:
    assert unknown(expression) == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("twoway_worker_lag > 0", ["twoway_worker_lag"]),
        ("twoway_ingest_requests > 0", ["twoway_ingest_requests"]),
        ("sum by (colour) (twoway_worker_rows)", ["colour"]),
        (
            'rate(twoway_ingest_requests_total{code="503"}[5m])',
            ["twoway_ingest_requests_total{code}"],
        ),
    ],
)
def test_what_the_code_has_not_is_seen(expression: str, words: list[str]) -> None:
    assert unknown(expression) == words


SELECTING = re.compile(r"(twoway_ingest_(?:smpp|ftp)_\w+)\{(\w+)=~?\"([^\"]+)\"")


@pytest.mark.parametrize(
    ("name", "label", "value"),
    sorted(
        {
            (name, label, value)
            for rule in alerts()
            for name, label, values in SELECTING.findall(rule["expr"])
            for value in values.split("|")
        }
    ),
)
def test_what_an_alert_counts_is_there_before_it_happens(name: str, label: str, value: str) -> None:
    """An increase from nothing is none to Prometheus: the first of them would raise no alert."""
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    assert [s for s in samples if s.name == name and s.labels[label] == value]


def test_names_say_whose_they_are_and_what_they_count() -> None:
    """A prefix a process, or `process` for what each has, and Prometheus' own rule for units.

    Base units, plural, last.
    """
    for name in IN_CODE:
        prefix = r"twoway_(ingest|worker|store|sender|deliver|accounts|process)_[a-z_]+"
        assert re.fullmatch(prefix, name), name
        assert not name.endswith(("_ms", "_minutes", "_hours")), name


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == WORDS_OF_ALERTS
    assert rule["annotations"]["description"].endswith(".")


def test_there_is_an_alert_for_everything_the_contract_asks_for() -> None:
    """Ingest answering 503 for an hour, lag without progress, dead letters, no bind."""
    names = {rule["alert"] for rule in alerts()}
    assert {
        "IngestUnavailable",
        "WorkerStuck",
        "WorkerDeadLetters",
        "ConfirmationOverdue",
        "StoreBehind",
        "SmppUnbound",
        "SmppAskingAgain",
        "SmppWindowFull",
        "FtpNotRead",
        "WorkerWaits",
        "WorkerTimesNotBelieved",
        "StoreWaits",
        "ProcessRestarts",
        "ProcessHung",
        "DeliverCircuitOpen",
        "DeliverGivenUp",
        "AccountLow",
        "AccountHolds",
    } <= names
    hour = next(rule for rule in alerts() if rule["alert"] == "IngestUnavailable")
    assert "> 3600" in hour["expr"]


def test_every_target_is_a_service_that_listens_there() -> None:
    scraped = yaml.safe_load((RULES.parent / "prometheus.yml").read_text())
    assert scraped["rule_files"] == [RULES.name]
    ports = {
        "ingest": "TWOWAY_HTTP_PORT",
        "worker": "TWOWAY_METRICS_PORT",
        "store": "TWOWAY_REPORT_PORT",
        "smpp": "TWOWAY_METRICS_PORT",
        "ftp": "TWOWAY_METRICS_PORT",
        "sender": "TWOWAY_METRICS_PORT",
        "deliver": "TWOWAY_METRICS_PORT",
        "accounts": "TWOWAY_METRICS_PORT",
    }
    services = compose()["services"]
    for job in scraped["scrape_configs"]:
        (target,) = job["dns_sd_configs"]
        assert target["names"] == [job["job_name"]]
        environment = services[job["job_name"]]["environment"]
        assert str(target["port"]) == environment[ports[job["job_name"]]]
    assert {job["job_name"] for job in scraped["scrape_configs"]} == set(ports)


def test_dashboards_ask_the_provisioned_source() -> None:
    folder = ROOT / "deploy" / "grafana" / "provisioning" / "datasources"
    (source,) = yaml.safe_load((folder / "prometheus.yml").read_text())["datasources"]
    assert DASHBOARDS
    for path in DASHBOARDS:
        panels = json.loads(path.read_text())["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        for panel in panels:
            if panel["type"] != "row":
                assert panel["datasource"]["uid"] == source["uid"]


def test_every_alert_of_the_contract_has_a_case_of_its_own() -> None:
    """`promtool test rules` runs them, where it is installed."""
    cases = (RULES.parent / "rules_test.yml").read_text()
    for name in (
        "IngestUnavailable",
        "WorkerStuck",
        "WorkerDeadLetters",
        "ConfirmationOverdue",
        "StoreBehind",
        "SmppUnbound",
        "SmppBindRefused",
        "SmppAskingAgain",
        "SmppRefusing",
        "SmppWindowFull",
        "FtpNotRead",
        "FtpFailing",
        "FtpLogGone",
        "WorkerWaits",
        "WorkerTimesNotBelieved",
        "WorkerClockWrong",
        "StoreWaits",
        "ProcessRestarts",
        "ProcessHung",
        "DeliverCircuitOpen",
        "DeliverGivenUp",
        "DeliverLate",
        "DeliverGone",
        "AccountLow",
        "AccountHolds",
        "SenderNoticeNotMailed",
        "NumberSilent",
        "GatewayRefuses",
        "CreditGone",
        "ConfirmationsNear",
        "ResultsUnknown",
    ):
        assert name in cases


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(
    "what", [["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]]
)
def test_promtool_is_content(what: list[str]) -> None:
    done = subprocess.run(
        [PROMTOOL, *what], cwd=RULES.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
