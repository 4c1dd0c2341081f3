"""The manifests of `deploy/kubernetes`: by their linters where they are, and against the code."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.kafka.principals import PERMISSIONS, principal_of
from pipeline.process.mounted import MOUNTED_SECRETS
from pipeline.process.secret_settings import NEEDED_BY
from pipeline.settings import PREFIX, Settings, load_settings
from tests.contract.compose_file import LOADER, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ROOT / "deploy" / "kubernetes"
KUBECTL = shutil.which("kubectl") or ""
VALIDATOR = importlib.util.find_spec("kubernetes_validate")
VERSION = "1.32.0"  # the oldest that is supported in 2026
PROCESSES = {"ingest", "worker", "sender", "deliver", "accounts", "store", "smpp", "ftp"}
SHARED = {
    line.partition("=")[0]: line.partition("=")[2]
    for line in (FOLDER / "base/settings.env").read_text().splitlines()
}


def documents() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every resource, by its file."""
    for path in sorted(FOLDER.rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            for document in yaml.load_all(path.read_text(), Loader=LOADER):
                yield path, document


ALL = [document for _, document in documents()]
PODS = {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in ALL
    if each["kind"] in ("Deployment", "StatefulSet", "Job")
}


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in ALL if each["kind"] in kinds}


def environment(name: str) -> dict[str, str]:
    """The variables of a container; one that the pod's name gives has the name of the first pod."""
    (container,) = PODS[name]["containers"]
    own = {each["name"]: each.get("value", f"{name}-0") for each in container["env"]}
    return SHARED | own


def settings_of(name: str, tmp_path: Path) -> Settings:
    """The settings that load, with files of secrets that exist."""
    secret, lines = tmp_path / "secret", tmp_path / "lines"
    secret.write_text("x")
    lines.write_text("")
    variables = environment(name)
    for variable in variables:
        if variable == f"{PREFIX}SECRETS_FILE":
            variables[variable] = str(lines)
        elif variable.endswith("_PASSWORD_FILE"):
            variables[variable] = str(secret)
    return load_settings(environment=variables)


@pytest.mark.skipif(not KUBECTL, reason="no kubectl: see https://kubernetes.io/docs/tasks/tools")
@pytest.mark.skipif(VALIDATOR is None, reason="no kubernetes-validate: pip install it (PyPI)")
@pytest.mark.parametrize("more", [(), ("smpp", "ftp", "accounts")], ids=["base", "with all"])
def test_the_manifests_are_what_kubernetes_knows(tmp_path: Path, more: tuple[str, ...]) -> None:
    import kubernetes_validate

    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    overlay = tmp_path / "kubernetes" / "overlay"
    overlay.mkdir()
    parts: dict[str, Any] = {"resources": ["../base"], "namespace": "twoway"}
    parts["components"] = [f"../{each}" for each in more]
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(parts))
    done = subprocess.run(
        [KUBECTL, "kustomize", str(overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = list(yaml.load_all(done.stdout, Loader=LOADER))
    assert len(found) > 15
    for document in found:
        kubernetes_validate.validate(document, VERSION, strict=True)
        assert document["metadata"]["namespace"] == "twoway"


def test_every_process_has_a_manifest() -> None:
    assert set(PODS) == PROCESSES | {"topics"}
    stateful = of_kind("StatefulSet")
    assert set(stateful) == {"worker", "deliver", "accounts", "ftp"}
    for name in ("worker", "deliver", "accounts"):
        (claim,) = stateful[name]["spec"]["volumeClaimTemplates"]
        mounts = PODS[name]["containers"][0]["volumeMounts"]
        (home,) = (each for each in mounts if each["name"] == claim["metadata"]["name"])
        assert home["mountPath"] == "/var/lib/twoway"
        (instance,) = (
            each for each in PODS[name]["containers"][0]["env"] if each["name"].endswith("INSTANCE")
        )
        assert instance["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert stateful["ftp"]["spec"]["replicas"] == 1
    assert of_kind("Deployment")["store"]["spec"]["strategy"] == {"type": "Recreate"}


def test_the_home_of_the_store_outlives_its_pod() -> None:
    """It has the users of the report, saved reports and the key of masked addresses."""
    (mount,) = (
        each
        for each in PODS["store"]["containers"][0]["volumeMounts"]
        if each["mountPath"] == "/var/lib/twoway"
    )
    (volume,) = (each for each in PODS["store"]["volumes"] if each["name"] == mount["name"])
    claim = of_kind("PersistentVolumeClaim")[volume["persistentVolumeClaim"]["claimName"]]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_the_environment_is_settings_that_load(name: str, tmp_path: Path) -> None:
    settings = settings_of(name, tmp_path)
    assert settings.kafka_sasl_username == principal_of(name)
    assert name in PERMISSIONS
    words = PODS[name]["containers"][0]["args"]
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
    assert stateful_replicas(name) <= settings.partitions


def stateful_replicas(name: str) -> int:
    found = of_kind("Deployment", "StatefulSet")[name]
    return int(found["spec"]["replicas"])


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_pod_has_next_to_no_rights_and_no_secret_in_its_environment(name: str) -> None:
    pod = PODS[name]
    (container,) = pod["containers"]
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    variables = environment(name)
    assert not {f"{PREFIX}{secret}".upper() for secret in NEEDED_BY} & set(variables)
    assert not [each for each in container["env"] if "secretKeyRef" in each.get("valueFrom", {})]


@pytest.mark.parametrize("name", sorted(PODS))
def test_a_secret_is_a_file_that_is_mounted_where_it_is_looked_for(name: str) -> None:
    (container,) = PODS[name]["containers"]
    folders = {each["mountPath"] for each in container["volumeMounts"]}
    files = {
        variable: Path(text)
        for variable, text in environment(name).items()
        if Path(text).is_relative_to(MOUNTED_SECRETS)
    }
    assert files
    for variable, file in files.items():
        assert str(file.parent) in folders, variable
    volumes = {each["name"] for each in PODS[name]["volumes"]}
    claims = of_kind("StatefulSet").get(name, {}).get("spec", {}).get("volumeClaimTemplates", [])
    mounted = {each["name"] for each in container["volumeMounts"]}
    assert mounted == volumes | {each["metadata"]["name"] for each in claims}


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_probe_asks_the_port_that_the_process_listens_on(name: str, tmp_path: Path) -> None:
    settings = settings_of(name, tmp_path)
    (container,) = PODS[name]["containers"]
    (port,) = container["ports"]
    listens = {"ingest": settings.http_port, "store": settings.report_port}
    assert port["containerPort"] == listens.get(name, settings.metrics_port)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == port["name"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"  # not why Kafka is away
    allowed = of_kind("NetworkPolicy")["monitoring"]["spec"]["ingress"][0]["ports"]
    assert port["containerPort"] in {each["port"] for each in allowed}
    (service,) = (each for each in of_kind("Service").values() if each["metadata"]["name"] == name)
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]


def test_a_budget_keeps_what_runs_more_than_once() -> None:
    budgets = of_kind("PodDisruptionBudget")
    assert set(budgets) == {"ingest", "worker", "sender", "deliver", "accounts"}
    for name, budget in budgets.items():
        wanted = budget["spec"]["selector"]["matchLabels"]
        owner = of_kind("Deployment", "StatefulSet")[name]
        assert wanted.items() <= owner["spec"]["template"]["metadata"]["labels"].items()


def test_nothing_comes_in_that_no_policy_names() -> None:
    policies = of_kind("NetworkPolicy")
    (first,) = (
        each
        for each in policies.values()
        if "Ingress" in each["spec"]["policyTypes"] and "ingress" not in each["spec"]
    )
    assert first["spec"]["podSelector"] == {}
    assert set(first["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    named = policies["out-to-the-gateway-and-applications"]["spec"]["podSelector"]
    assert set(named["matchExpressions"][0]["values"]) == {"sender", "deliver", "smpp", "ftp"}


def test_every_pod_reaches_what_all_need_and_nothing_else() -> None:
    """The names of hosts (RFC 1035 4.2), Kafka, and where traces go (OTLP over HTTP)."""
    (rules,) = (
        each["spec"]["egress"]
        for each in of_kind("NetworkPolicy").values()
        if each["spec"]["podSelector"] == {} and "egress" in each["spec"]
    )
    reached = {(port["protocol"], port["port"]) for rule in rules for port in rule["ports"]}
    collector = next(each for each in fields(Settings) if each.name == "otel_endpoint")
    (traces,) = re.findall(r":(\d+),", collector.metadata["help"])
    assert reached == {("UDP", 53), ("TCP", 53), ("TCP", 9092), ("TCP", 9093), ("TCP", int(traces))}
