"""Every metric that a rule, a panel or a variable names is there, with the labels it has."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client import REGISTRY, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.utils import floatToGoString

import ingest.ftp.metrics
import ingest.smpp.metrics
import pipeline.accounts.metrics
import pipeline.delivery.metrics
import pipeline.engine.metrics
import pipeline.process.exposition
import pipeline.process.hang
import pipeline.sender.metrics
import pipeline.store.metrics
from ingest.http.metrics import Metrics
from pipeline.web.metrics_server import Renamed
from tests.contract.compose_file import ROOT, compose, loaded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
NAMED = re.compile(r"\btwoway_\w+")
RECORDED = re.compile(r"\btwoway:\w+(?::\w+)?")
VALUES_OF = re.compile(r"label_values\((\w+), (\w+)\)")
BUCKET = re.compile(r"\b(twoway_\w+)_bucket\{[^}]*\ble=\"([^\"]+)\"")
SELECTED = re.compile(r"\b(twoway_\w+)\{([^}]*)\}")
BY = re.compile(r"\b(?:by|on) \(([^)]*)\)")
OF_PROMETHEUS = {"le", "instance", "job"}
SEVERITIES = {"page", "ticket"}
PROMTOOL = shutil.which("promtool") or ""
AMTOOL = shutil.which("amtool") or ""
TELLS = RULES.parent / "alertmanager.yml"
WORDS_OF_ALERTS = {"summary", "description"}


MODULES = (
    pipeline.accounts.metrics,
    pipeline.engine.metrics,
    pipeline.store.metrics,
    pipeline.sender.metrics,
    pipeline.process.exposition,
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
    of_engine = pipeline.engine.metrics.METRICS_PREFIX
    for prefix in (pipeline.delivery.metrics.ENGINE_PREFIX, pipeline.accounts.metrics.AGENT_PREFIX):
        found |= {
            name.replace(of_engine, prefix): labels
            for name, labels in found.items()
            if name.startswith(of_engine)
        }
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


def rules() -> list[dict[str, Any]]:
    """Every rule: alerts, and what is recorded."""
    groups = loaded(RULES)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for rule in rules() if "alert" in rule]


#: What the rules record, by name, with the labels that a rule sets or that a query keeps.
RECORDS: dict[str, set[str]] = {
    rule["record"]: {"slo", "what"} for rule in rules() if "record" in rule
}


def dashboards() -> dict[str, dict[str, Any]]:
    """Each dashboard by its file's name."""
    return {path.stem: json.loads(path.read_text()) for path in DASHBOARDS}


def expressions() -> Iterator[Any]:
    """Every expression of the rules and the dashboards, named."""
    for rule in rules():
        name = f"alert {rule['alert']}" if "alert" in rule else f"record {rule['record']}"
        yield pytest.param(
            rule["expr"], id=f"{name} {rule['labels']}" if "labels" in rule else name
        )
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                named = f"{name}, {panel['title']} {target['refId']}"
                yield pytest.param(target["expr"], id=named)


def variables() -> Iterator[Any]:
    """Every variable of a dashboard, named."""
    for name, dashboard in dashboards().items():
        for variable in dashboard["templating"]["list"]:
            yield pytest.param(dashboard, variable, id=f"{name} {variable['name']}")


def unknown(expression: str) -> list[str]:
    """The names and labels in an expression that the code has not."""
    named = NAMED.findall(expression)
    wrong = [name for name in named if name not in IN_CODE]
    labels = {label for name in named for label in IN_CODE.get(name, set())} | OF_PROMETHEUS
    recorded = RECORDED.findall(expression)
    wrong += [name for name in recorded if name not in RECORDS]
    labels |= {label for name in recorded for label in RECORDS.get(name, set())}
    asked = [label.strip() for group in BY.findall(expression) for label in group.split(",")]
    for name, selectors in SELECTED.findall(expression):
        has = IN_CODE.get(name, set()) | OF_PROMETHEUS
        asked_of_one = [re.split("[=!]", part)[0].strip() for part in selectors.split(",")]
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
        ("twoway:slo_errors:ratio_1m > 1", ["twoway:slo_errors:ratio_1m"]),
        ("max by (colour) (twoway:oldest_waiting_seconds)", ["colour"]),
    ],
)
def test_what_the_code_has_not_is_seen(expression: str, words: list[str]) -> None:
    assert unknown(expression) == words


def buckets_of(name: str) -> set[str]:
    """The bounds of a histogram, as a scrape shows them."""
    text = generate_latest().decode() + generate_latest(Metrics().registry).decode()
    # A histogram with labels shows no bucket before it has counted.
    of_ours = [each for module in MODULES for each in vars(module).values()]
    of_http = vars(Metrics()).values()
    bounds = {
        floatToGoString(bound)
        for each in (*of_ours, *of_http)
        if isinstance(each, Histogram) and each._name == name
        for bound in each._upper_bounds
    }
    return bounds | set(re.findall(rf'^{name}_bucket{{.*le="([^"]+)"', text, re.MULTILINE))


@pytest.mark.parametrize("expression", list(expressions()))
def test_a_bucket_that_an_expression_names_is_one_of_the_histogram(expression: str) -> None:
    for name, bound in BUCKET.findall(expression):
        assert bound in buckets_of(name)


def test_a_bucket_that_is_none_is_seen() -> None:
    assert {"0.5", "10.0"} & buckets_of("twoway_store_age_seconds") == {"0.5", "10.0"}
    assert "10" not in buckets_of("twoway_store_age_seconds")  # as Prometheus 2 compares it
    assert "0.5" in buckets_of("twoway_ingest_request_seconds")


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


def test_a_process_that_is_no_worker_shows_the_engines_metrics_by_names_of_its_own() -> None:
    engine, deliver = pipeline.engine.metrics, pipeline.delivery.metrics
    engine.LAG.labels("mo-message", "0").set(3)
    shown = Renamed(engine.METRICS_PREFIX, deliver.ENGINE_PREFIX)
    text = generate_latest(shown).decode()  # type: ignore[arg-type]
    assert 'twoway_deliver_agent_lag_records{partition="0",topic="mo-message"} 3.0' in text
    assert "twoway_worker_" not in text
    assert "# TYPE twoway_deliver_agent_batch_seconds histogram" in text
    assert 'twoway_worker_lag_records{partition="0",topic="mo-message"} 3.0' in (
        generate_latest().decode()
    )
    names = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert len(names) == len(set(names)), "two metrics with one name"


def test_names_say_whose_they_are_and_what_they_count() -> None:
    """A prefix a process; `process` and `build` are of each; and Prometheus' own rule for units.

    Base units, plural, last.
    """
    for name in IN_CODE:
        prefix = r"twoway_(ingest|worker|store|sender|deliver|accounts|process|build)_[a-z_]+"
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
        "SenderWaits",
        "ProcessRestarts",
        "ProcessHung",
        "DeliverCircuitOpen",
        "DeliverGivenUp",
        "AccountLow",
        "AccountHolds",
        "DeliverSmppUnbound",
        "DeliverStuck",
        "DeliverWaits",
        "AccountsStuck",
        "AccountsWaits",
        "ReviewWaits",
        "ServiceLevelBurnsFast",
        "ServiceLevelBurnsSlowly",
    } <= names
    hour = next(rule for rule in alerts() if rule["alert"] == "IngestUnavailable")
    assert "> 3600" in hour["expr"]


def test_every_target_is_a_service_that_listens_there() -> None:
    scraped = loaded(RULES.parent / "prometheus.yml")
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


#: The levels, and the windows of chapter 5 of the SRE workbook with their burn rates.
LEVELS = {
    "requests-taken",
    "requests-in-time",
    "handed-on-in-time",
    "results-known",
    "stored-in-time",
}
WINDOWS = {
    "ServiceLevelBurnsFast": [("1h", "14.4"), ("5m", "14.4"), ("6h", "6"), ("30m", "6")],
    "ServiceLevelBurnsSlowly": [("1d", "3"), ("2h", "3"), ("3d", "1"), ("6h", "1")],
}


@pytest.mark.parametrize("record", ["events:rate5m", "bad:rate5m", "budget"])
def test_a_service_level_has_its_events_its_bad_events_and_a_budget(record: str) -> None:
    found = [
        rule["labels"]["slo"] for rule in rules() if rule.get("record") == f"twoway:slo_{record}"
    ]
    assert sorted(found) == sorted(LEVELS)


@pytest.mark.parametrize("name", sorted(WINDOWS))
def test_burn_rates_are_those_of_the_workbook(name: str) -> None:
    (expression,) = [rule["expr"] for rule in alerts() if rule["alert"] == name]
    found = re.findall(r"ratio_(\w+) > on \(slo\) ([\d.]+) \* twoway:slo_budget", expression)
    assert found == WINDOWS[name]


def test_dashboards_ask_the_provisioned_source() -> None:
    folder = ROOT / "deploy" / "grafana" / "provisioning" / "datasources"
    (source,) = loaded(folder / "prometheus.yml")["datasources"]
    assert DASHBOARDS
    for dashboard in dashboards().values():
        panels = dashboard["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        for variable in dashboard["templating"]["list"]:
            assert variable["datasource"]["uid"] == source["uid"]
        for panel in panels:
            if panel["type"] != "row":
                assert panel["datasource"]["uid"] == source["uid"]


@pytest.mark.parametrize(("dashboard", "variable"), list(variables()))
def test_a_variable_has_the_values_of_a_label_and_a_panel_uses_it(
    dashboard: dict[str, Any], variable: dict[str, Any]
) -> None:
    ((metric, label),) = VALUES_OF.findall(variable["query"]["query"])
    assert label in IN_CODE[metric]
    uses = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])
        if f'{label}=~"${variable["name"]}"' in target["expr"]
    ]  # fmt: skip
    assert uses


def test_the_numbers_that_an_operator_looks_for_are_there_at_a_look() -> None:
    """Messages, commands, refusals, stops, unreviewed, unknown, and the oldest that waits."""
    stats = [p for p in dashboards()["twoway-messages"]["panels"] if p["type"] == "stat"]
    assert all(len(p["fieldConfig"]["defaults"]["thresholds"]["steps"]) for p in stats)
    assert {variable.values[1]["name"] for variable in variables()} == {"number", "way"}
    asked = " ".join(target["expr"] for panel in stats for target in panel["targets"])
    for each in (
        "twoway_store_messages_total",
        "twoway_store_commands_total",
        "twoway_store_refusals_total",
        "twoway_store_stops_total",
        'twoway_store_waiting{what="review"}',
        'twoway_store_waiting{what="unknown-result"}',
        "max(twoway:oldest_waiting_seconds)",
        "twoway_accounts_balance_credits",
    ):
        assert each in asked


def test_no_panel_lies_on_another() -> None:
    for dashboard in dashboards().values():
        seen: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            at = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert max(x for x, _ in cells) < 24
            assert not cells & seen, panel["title"]
            seen |= cells


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed (Debian: prometheus)")
def test_what_panels_ask_is_promql(tmp_path: Path) -> None:
    """As rules, which promtool reads; Grafana fills in the interval and the variables."""
    asked = [
        target["expr"]
        for dashboard in dashboards().values()
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]
    given = [
        re.sub(r"\$(number|way)", ".*", each.replace("$__rate_interval", "5m")) for each in asked
    ]
    assert not any("$" in each for each in given)
    file = tmp_path / "asked.yml"
    listed = [{"record": f"asked{count}", "expr": each} for count, each in enumerate(given)]
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": listed}]}))
    done = subprocess.run(
        [PROMTOOL, "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


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
        "SenderWaits",
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
        "DeliverSmppUnbound",
        "DeliverStuck",
        "DeliverWaits",
        "AccountsStuck",
        "AccountsWaits",
        "ReviewWaits",
        "ServiceLevelBurnsFast",
        "ServiceLevelBurnsSlowly",
    ):
        assert name in cases


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(
    "what", [["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]]
)
def test_promtool_is_content(what: list[str]) -> None:
    environment = os.environ | {"GOGC": "400"}  # collects garbage less often, in a fifth less time
    done = subprocess.run(
        [PROMTOOL, *what],
        cwd=RULES.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not AMTOOL, reason="amtool is not installed (Debian: prometheus-alertmanager)")
def test_amtool_is_content() -> None:
    done = subprocess.run(
        [AMTOOL, "check-config", TELLS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_tells_somebody_of_each_severity_and_knows_the_alerts_it_names() -> None:
    example = loaded(TELLS)
    receivers = {receiver["name"] for receiver in example["receivers"]}
    routes = [example["route"], *example["route"]["routes"]]
    assert {route["receiver"] for route in routes} == receivers
    matched = {re.findall('"(.*)"', each)[0] for route in routes[1:] for each in route["matchers"]}
    assert matched < SEVERITIES  # the others go to the first receiver
    named = {
        name
        for rule in example["inhibit_rules"]
        for matcher in (*rule["source_matchers"], *rule["target_matchers"])
        if matcher.startswith("alertname")
        for name in re.findall('"(.*)"', matcher)[0].split("|")
    }
    assert named <= {rule["alert"] for rule in alerts()}


def test_prometheus_asks_for_alertmanager_where_it_listens() -> None:
    scraped = loaded(RULES.parent / "prometheus.yml")
    (manager,) = scraped["alerting"]["alertmanagers"]
    (target,) = manager["dns_sd_configs"]
    service = compose()["services"][target["names"][0]]
    assert f":{target['port']}" in service["ports"][0]
    assert any("alertmanager.yml:" in volume for volume in service["volumes"])
