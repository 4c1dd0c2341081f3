"""The compose file is consistent, checked without Docker: settings exist, services are guarded.

`docker compose config` finds errors of the language. This file finds differences from the code.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import inspect
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from deploy.make_secrets import FOLDER, contents, make
from pipeline.cli.gateway.command import gateway
from pipeline.cli.local.jars import KAFKA_VERSION
from pipeline.gateway.settings import API_IDS, GatewaySettings
from pipeline.process import hang
from pipeline.process.mounted import MOUNTED_SECRETS
from pipeline.process.secret_settings import NEEDED_BY
from pipeline.sender.apis.file import apis_from_toml, default_of
from pipeline.sender.ways.make import way_of
from pipeline.settings import PREFIX, Settings, load_settings
from pipeline.web.access import Access, path_from_octets
from tests.contract.compose_file import ROOT, VARIABLE, compose, filled, services

OURS = {"ingest", "worker", "store"}
WAYS = {"smpp", "ftp"}
PLAYED = {"gateway", "gateway-sender"}
SENDERS = {"sender", "gateway-sender"}
SECRETS = {
    "token": "0123456789abcdef",
    "metrics": "fedcba9876543210",
    "database": "database-pw",
    "reader": "reader-pw",
}
FILES = contents(**SECRETS)
COMPOSE = compose()
ALL = COMPOSE["services"]
OF_OUR_IMAGE = [name for name, service in ALL.items() if "build" in service]
LONG_RUNNING = [name for name in ALL if not name.startswith("topics") and name != "cli"]
NODES = ["kafka-1", "kafka-2", "kafka-3"]
KEY = "key:/var/lib/twoway-key"
PLACES = "workers:/var/lib/twoway-workers"
HANGS = f"hangs:/var/lib/twoway/{hang.FOLDER}"


def environment(service: dict[str, Any]) -> dict[str, str]:
    """The environment of a container, with variables filled in."""
    return {name: filled(value, {}) for name, value in service.get("environment", {}).items()}


def mounted(service: dict[str, Any]) -> dict[str, str]:
    """The secrets of a container, by the path at which it has them."""
    found = {}
    for each in service.get("secrets", []):
        given = {"source": each} if isinstance(each, str) else each
        target = given.get("target", f"/run/secrets/{given['source']}")
        file = COMPOSE["secrets"][given["source"]]["file"]
        folder, name = file.rsplit("/", 1)
        assert folder == f"./{FOLDER}"
        found[target] = FILES[name]
    return found


def settings_of(name: str, tmp_path: Path) -> Settings:
    """The settings of a service of ours, with its secrets mounted."""
    variables = environment(ALL[name])
    if where := variables.get(f"{PREFIX}SECRETS_FILE"):
        file = tmp_path / "secret"
        file.write_text(mounted(ALL[name])[where])
        variables[f"{PREFIX}SECRETS_FILE"] = str(file)
    for variable, where in variables.items():
        if variable.endswith("_PASSWORD_FILE"):
            file = tmp_path / variable
            file.write_text(mounted(ALL[name])[where])
            variables[variable] = str(file)
    return load_settings(environment=variables)


def in_the_open(service: dict[str, Any]) -> list[str]:
    """The variables of a service that are a secret, or that can be set to one from outside."""
    secret = {f"{PREFIX}{name}".upper() for name in NEEDED_BY}
    return [
        name
        for name, text in service.get("environment", {}).items()
        if name in secret
        or re.search(r"PASSWORD(?!.*FILE)|TOKEN|SECRET(?!S_FILE)", name)
        or re.search(r"PASSWORD|TOKEN|SECRET|://[^/]*@", re.sub(r"/run/secrets/\w+", "", text))
    ]


@pytest.mark.parametrize(
    ("profile", "kafka"),
    [
        pytest.param("single", {"kafka", "topics"}, id="single"),
        pytest.param("production", {*NODES, "topics-production"}, id="production"),
    ],
)
def test_a_profile_starts_everything_and_its_own_kafka(profile: str, kafka: set[str]) -> None:
    assert set(services(COMPOSE, profiles={profile})) == OURS | {"clickhouse"} | kafka


def test_without_a_profile_the_single_node_starts() -> None:
    lines = [line for line in (ROOT / ".env").read_text().splitlines() if not line.startswith("#")]
    assert lines == ["COMPOSE_PROFILES=single"], "and no secret, for the file is in the repository"


@pytest.mark.parametrize("name", OF_OUR_IMAGE)
def test_the_environment_of_ours_is_settings_that_load(name: str, tmp_path: Path) -> None:
    assert all(variable.startswith(PREFIX) for variable in environment(ALL[name]))
    assert settings_of(name, tmp_path).kafka == "kafka:9092"


@pytest.mark.parametrize("name", ALL)
def test_no_service_has_a_secret_in_its_environment(name: str) -> None:
    assert in_the_open(ALL[name]) == []


@pytest.mark.parametrize(
    "given",
    [
        {"TWOWAY_TOKENS": "${TOKENS}"},
        {"TWOWAY_CLICKHOUSE": "http://clickhouse:8123"},
        {"TWOWAY_SMPP_PASSWORD": ""},
        {"CLICKHOUSE_PASSWORD": "x"},
        {"ADDRESS": "http://twoway:x@clickhouse:8123"},
        {"ANY": "${METRICS_PASSWORD:-}"},
    ],
)
def test_a_secret_in_the_environment_is_seen(given: dict[str, str]) -> None:
    assert in_the_open({"environment": given}) == list(given)


@pytest.mark.parametrize("name", ALL)
def test_a_service_names_the_secrets_that_it_is_given(name: str) -> None:
    named = environment(ALL[name]).get(f"{PREFIX}SECRETS_FILE")
    assert named is None or list(mounted(ALL[name])) == [named]
    with_a_file = {"ingest", "store", "smpp", "ftp", "cli", "gateway"}
    assert (named is not None) == (name in with_a_file)


def test_a_variable_that_is_no_setting_would_be_seen() -> None:
    broken = environment(ALL["worker"]) | {f"{PREFIX}METRIC_PORT": "1"}
    with pytest.raises(ValueError, match="TWOWAY_METRIC_PORT"):
        load_settings(environment=broken)


@pytest.mark.parametrize("profile", ["single", "production"])
def test_every_process_agrees_on_the_partitions(profile: str, tmp_path: Path) -> None:
    ours = [n for n, s in services(COMPOSE, profiles={profile}).items() if "build" in s]
    assert {settings_of(name, tmp_path).partitions for name in ours} == {12}


@pytest.mark.parametrize(("name", "host"), [("ingest", "http_host"), ("store", "report_host")])
def test_what_others_can_reach_asks_who_calls(name: str, host: str, tmp_path: Path) -> None:
    """Ingest listens on all addresses of its container; `Access` refuses that without a guard."""
    settings = settings_of(name, tmp_path)
    assert getattr(settings, host) == "0.0.0.0"  # noqa: S104  inside the container
    assert settings.tokens == SECRETS["token"]
    reachable = dataclasses.replace(settings, http_host=getattr(settings, host))
    Access(reachable)
    with pytest.raises(ValueError, match="set tokens"):
        Access(dataclasses.replace(reachable, tokens="", basic_auth=""))


def test_only_ingest_is_published_beyond_this_machine() -> None:
    published = {name: service["ports"] for name, service in ALL.items() if "ports" in service}
    beyond = {
        name
        for name, ports in published.items()
        if not all(filled(port, {}).startswith("127.0.0.1:") for port in ports)
    }
    assert beyond == {"ingest"}


@pytest.mark.parametrize("name", OF_OUR_IMAGE)
def test_ours_run_with_next_to_no_rights(name: str) -> None:
    service = ALL[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    mounts = [*service["tmpfs"], *service.get("volumes", [])]
    assert any("/var/lib/twoway" in mount for mount in mounts)


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_is_watched_restarted_and_given_time_to_end(name: str) -> None:
    service = ALL[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"]


@pytest.mark.parametrize("name", sorted(OURS | WAYS))
def test_a_service_has_no_secret_of_another(name: str, tmp_path: Path) -> None:
    settings = settings_of(name, tmp_path)
    given = {secret for secret in NEEDED_BY if getattr(settings, secret)}
    assert {each for each in given if name not in NEEDED_BY[each]} == set()


def test_the_database_and_the_store_agree_on_the_password(tmp_path: Path) -> None:
    (users,) = mounted(ALL["clickhouse"]).values()
    password = SECRETS["database"]
    settings = settings_of("store", tmp_path)
    assert settings.clickhouse == "http://clickhouse:8123"
    assert (settings.clickhouse_user, settings.clickhouse_password) == ("twoway", password)
    assert hashlib.sha256(password.encode()).hexdigest() in users
    assert password not in users
    document = ElementTree.fromstring(users)  # noqa: S314 - our own
    names = {each.tag for each in document.find("users") or ()}
    assert names == {"default", "twoway", "reader"}


def test_programs_of_others_only_read_and_within_limits() -> None:
    (users,) = mounted(ALL["clickhouse"]).values()
    document = ElementTree.fromstring(users)  # noqa: S314 - our own
    reader = document.find("users/reader")
    assert reader is not None
    digest = hashlib.sha256(SECRETS["reader"].encode()).hexdigest()
    assert reader.findtext("password_sha256_hex") == digest
    assert reader.findtext("grants/query") == "GRANT SHOW, SELECT ON twoway.*"
    profile = document.find(f"profiles/{reader.findtext('profile')}")
    assert profile is not None
    assert profile.findtext("readonly") == "2"  # 1 would refuse the settings that drivers send
    limits = {each.tag for each in profile} - {"readonly", "constraints"}
    assert {"max_memory_usage", "max_result_rows", "max_rows_to_read"} <= limits
    constraints = profile.find("constraints")
    assert constraints is not None
    assert {each.tag for each in constraints if each.find("const") is not None} == limits


@pytest.mark.parametrize("node", ["kafka", *NODES])
def test_what_is_published_of_kafka_asks_who_calls(node: str) -> None:
    variables = environment(ALL[node])
    named = dict(
        each.split(":") for each in variables["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    )
    ports = dict(each.rsplit(":", 1) for each in variables["KAFKA_LISTENERS"].split(","))
    (published,) = (filled(port, {}) for port in ALL[node]["ports"])
    outside = published.rsplit(":", 1)[1]
    assert {name for name, port in ports.items() if port == outside} == {"OUTSIDE://"}
    assert named["OUTSIDE"] == "SASL_PLAINTEXT"
    where = published.rsplit(":", 1)[0]
    assert f"OUTSIDE://{where}" in variables["KAFKA_ADVERTISED_LISTENERS"]
    assert variables["KAFKA_AUTHORIZER_CLASS_NAME"].endswith(".StandardAuthorizer")
    assert variables["KAFKA_SUPER_USERS"] == "User:ANONYMOUS"  # nobody who logs in


def test_the_profile_whole_sends_and_delivers_too() -> None:
    for profile in ("single", "production"):
        more = set(services(COMPOSE, profiles={profile, "whole"}))
        assert more - set(services(COMPOSE, profiles={profile})) == {
            "sender",
            "deliver",
            "accounts",
        }


@pytest.mark.parametrize("name", ALL)
def test_a_service_has_a_limit_of_memory(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", filled(ALL[name]["mem_limit"], {}))


def test_the_secrets_are_made_once_for_nobody_else(tmp_path: Path) -> None:
    made = make(tmp_path / "secrets")
    assert {file.name for file in made} == set(FILES)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    before = [file.read_text() for file in made]
    assert make(tmp_path / "secrets") == []
    assert [file.read_text() for file in made] == before
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", sorted(OURS | WAYS))
def test_a_probe_asks_the_port_that_the_process_listens_on(name: str, tmp_path: Path) -> None:
    settings = settings_of(name, tmp_path)
    port = {
        "ingest": settings.http_port,
        "store": settings.report_port,
        "worker": settings.metrics_port,
        "smpp": settings.metrics_port,
        "ftp": settings.metrics_port,
    }[name]
    assert f"http://127.0.0.1:{port}/readyz" in ALL[name]["healthcheck"]["test"][-1]
    for published in ALL[name].get("ports", []):
        assert published.endswith(f":{port}")


@pytest.mark.parametrize("name", ALL)
def test_a_service_can_be_scaled_or_removed_beside_others(name: str) -> None:
    assert "container_name" not in ALL[name]


@pytest.mark.parametrize("name", ["worker", "deliver", "accounts"])
def test_who_has_state_can_be_scaled(name: str) -> None:
    """Each container takes a place, with a name and a state that it finds again."""
    assert "ports" not in ALL[name]
    assert set(ALL[name]["volumes"]) - {KEY} == {PLACES}
    assert environment(ALL[name])[f"{PREFIX}INSTANCES"] == PLACES.partition(":")[2]
    assert "hostname" not in ALL[name]


def test_commands_see_and_change_the_home_of_the_store() -> None:
    """`twoway user add` writes there, and `report.token` lets commands into the report."""
    (home,) = set(ALL["store"]["volumes"]) & set(ALL["cli"]["volumes"]) - {KEY}
    assert home == "store:/var/lib/twoway"


def test_who_must_know_a_forgotten_handset_has_the_key_and_nobody_else() -> None:
    holders = {name for name, service in ALL.items() if KEY in service.get("volumes", ())}
    assert holders == {"worker", "store", "cli"}
    file = ALL["worker"]["environment"]["TWOWAY_SUPPRESSION_KEY"]
    folder = KEY.partition(":")[2]
    assert file.startswith(f"{folder}/")
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert f" {folder} " in dockerfile  # a new volume is its owner's as in the image
    assert "key" in COMPOSE["volumes"]


def test_a_container_that_is_started_again_finds_that_its_process_hung() -> None:
    """What is in the home is lost, but where the home is a volume: of the poller and the store."""
    holders = {name for name, service in ALL.items() if HANGS in service.get("volumes", ())}
    assert holders == {"ingest", "smpp", "sender"}
    folder = HANGS.partition(":")[2]
    assert f" {folder} " in (ROOT / "deploy" / "Dockerfile").read_text()  # whose the volume is
    assert "hangs" in COMPOSE["volumes"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        *[(node, "/var/lib/kafka/data") for node in ["kafka", *NODES]],
        ("clickhouse", "/var/lib/clickhouse"),
        ("ftp", "/var/lib/twoway"),
        ("gateway", "/var/lib/twoway"),
        ("store", "/var/lib/twoway"),  # users, saved reports and the key of masked addresses
    ],
)
def test_what_must_be_kept_is_on_a_volume_of_its_own(name: str, folder: str) -> None:
    assert f"{name}:{folder}" in ALL[name]["volumes"]
    assert name in COMPOSE["volumes"]
    if folder.startswith("/var/lib/kafka"):
        assert ALL[name]["environment"]["KAFKA_LOG_DIRS"] == folder


def test_production_keeps_three_copies_and_acknowledges_two(tmp_path: Path) -> None:
    """A 200 survives the loss of a disk, with three copies and two acknowledgements."""
    for node in NODES:
        variables = environment(ALL[node])
        assert variables["KAFKA_DEFAULT_REPLICATION_FACTOR"] == "3"
        assert variables["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == "3"
        assert variables["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == "3"
        assert variables["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "2"
        assert variables["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert variables["KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE"] == "false"
    topics = settings_of("topics-production", tmp_path)
    assert (topics.replication_factor, topics.min_insync_replicas) == (3, 2)
    assert set(ALL["topics-production"]["depends_on"]) == set(NODES)


def test_the_three_nodes_are_one_cluster() -> None:
    numbered = {environment(ALL[node])["KAFKA_NODE_ID"]: node for node in NODES}
    voters = ",".join(f"{number}@{node}:9093" for number, node in sorted(numbered.items()))
    for number, node in numbered.items():
        variables = environment(ALL[node])
        assert variables["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters
        inside, _ = variables["KAFKA_ADVERTISED_LISTENERS"].split(",")
        assert inside == f"PLAINTEXT://{node}:9092"
        assert variables["KAFKA_NODE_ID"] == number
        assert ALL[node]["networks"]["default"]["aliases"] == ["kafka"]
    assert len({environment(ALL[node])["CLUSTER_ID"] for node in NODES}) == 1


def test_kafka_is_of_the_version_that_the_tests_run_on() -> None:
    images = {ALL[name]["image"] for name in ["kafka", *NODES]}
    assert images == {f"apache/kafka:{KAFKA_VERSION}"}


def test_the_server_is_of_the_version_that_the_tests_run_on() -> None:
    pinned = (ROOT / "deploy" / "requirements" / "runtime.txt").read_text()
    engine = next(line for line in pinned.splitlines() if line.startswith("chdb-core=="))
    release = ".".join(engine.removeprefix("chdb-core==").split(" ")[0].split(".")[:2])
    assert ALL["clickhouse"]["image"] == f"clickhouse/clickhouse-server:{release}"


@pytest.mark.parametrize("name", sorted(WAYS))
@pytest.mark.parametrize("profile", ["single", "production"])
def test_a_way_that_fetches_has_a_profile_and_a_file_of_its_own(name: str, profile: str) -> None:
    """Without the profile the rest starts as before; the password reaches no other container."""
    assert name not in services(COMPOSE, profiles={profile})
    started = services(COMPOSE, profiles={profile, name})
    assert set(started) - set(services(COMPOSE, profiles={profile})) == {name}
    files = {other: [file["path"] for file in ALL[other].get("env_file", [])] for other in ALL}
    assert f"{name}.env" in files[name]
    assert not [other for other in ALL if f"{name}.env" in files[other] and other != name]
    assert f"{name}.env" in (ROOT / ".gitignore").read_text().splitlines()
    assert all(file["required"] is False for file in ALL[name]["env_file"])


@pytest.mark.parametrize("name", sorted(OURS | WAYS | PLAYED | SENDERS))
def test_a_command_is_one_of_the_command_line(name: str) -> None:
    from pipeline.cli.main import app

    answer = CliRunner().invoke(app, [*ALL[name]["command"], "--help"])
    assert answer.exit_code == 0, answer.output


@pytest.mark.parametrize("profile", ["single", "production"])
def test_the_played_gateway_has_a_profile_and_a_sender_of_its_own(profile: str) -> None:
    before = set(services(COMPOSE, profiles={profile}))
    assert not before & PLAYED
    assert set(services(COMPOSE, profiles={profile, "gateway"})) - before == PLAYED


def played_settings() -> GatewaySettings:
    """What the service `gateway` runs with: the defaults of its command, and its words."""
    command = ALL["gateway"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert set(options) == {"--host", "--product"}
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(gateway).parameters.items()
        if name.endswith("_port")
    }
    return GatewaySettings(
        home=Path("h"), host=options["--host"], product=options["--product"], **defaults
    )


def test_the_apis_of_the_compose_file_are_those_that_the_stand_in_has() -> None:
    file = ROOT / "deploy" / "local" / "gateway-apis.toml"
    assert ALL["gateway-sender"]["volumes"] == [
        f"./{file.relative_to(ROOT)}:{MOUNTED_SECRETS}/apis.toml:ro"
    ]
    variables = environment(ALL["gateway-sender"])
    assert variables[f"{PREFIX}APIS"] == f"{MOUNTED_SECRETS}/apis.toml"
    apis = apis_from_toml(tomllib.loads(file.read_text()), path=file)
    own = played_settings()
    assert {api.way.value: api.api_id for api in apis} == dict(API_IDS)
    assert {(api.user, api.password) for api in apis} == {(own.user, own.password)}
    for api in apis:
        port = getattr(own, f"{api.way}_port", own.http_port)
        assert (api.url or f"{api.host}:{api.port}").removeprefix("http://") == f"gateway:{port}"
        assert api.tls == "plain"  # `off` reaches this machine only, and a container is another
    assert default_of(apis) == API_IDS["http"]
    assert all(way_of(api) for api in apis)


def test_the_stand_in_is_reached_from_this_machine_and_reaches_ingest(tmp_path: Path) -> None:
    own = played_settings()
    assert own.host == "0.0.0.0"  # noqa: S104  inside the container
    assert settings_of("gateway", tmp_path).host_names == "gateway"  # as its sender calls it
    published = [port.rsplit(":", 1)[1] for port in ALL["gateway"]["ports"]]
    assert published == [str(own.http_port), str(own.smpp_port), str(own.smtp_port)]
    token = settings_of("gateway", tmp_path).tokens
    callbacks = dataclasses.replace(own, token=token).callbacks
    assert callbacks == f"http://ingest:{settings_of('ingest', tmp_path).http_port}/t/{token}"
    secret = path_from_octets(callbacks.removeprefix("http://ingest:8080").encode() + b"/mo/http")
    guard = Access(settings_of("ingest", tmp_path))
    asked = {"peer": "172.18.0.5", "forwarded_for": b"", "authorization": b"", "host": b"ingest"}
    assert guard.refuse(token=secret.token, **asked) is None
    assert guard.refuse(token=None, **asked) is not None


def test_the_servers_of_the_stand_in_are_in_the_image() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    (line,) = re.findall(r"dev\.txt --only ([\w ]+) ", dockerfile)
    pinned = (ROOT / "deploy" / "requirements" / "dev.txt").read_text().splitlines()
    assert set(line.split()) == {"aiosmtpd", "atpublic", "pyftpdlib", "setuptools"}
    for name in line.split():
        assert [each for each in pinned if each.startswith(f"{name}==")], name


@pytest.mark.parametrize("name", OF_OUR_IMAGE)
def test_what_a_service_waits_for_exists_and_can_be_waited_for(name: str) -> None:
    waits = ALL[name]["depends_on"] or {}
    for other, how in waits.items():
        assert other in ALL
        if how["condition"] == "service_healthy":
            assert "healthcheck" in ALL[other]
        else:
            assert how["condition"] == "service_completed_successfully"
            assert ALL[other]["restart"] == "no"


def test_a_dependency_of_one_profile_is_not_required_in_another() -> None:
    for name, service in ALL.items():
        for other, how in (service.get("depends_on") or {}).items():
            if ALL[other].get("profiles", []) != service.get("profiles", []):
                assert "profiles" not in ALL[other] or how["required"] is False, f"{name}: {other}"


def copied(dockerfile: str) -> list[str]:
    """The sources of the COPY instructions that come from the checkout."""
    words = [shlex.split(line) for line in dockerfile.splitlines() if line.startswith("COPY ")]
    return [each[1] for each in words if not each[1].startswith("--from")]


def test_the_image_is_built_from_what_is_there_and_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    for source in copied(dockerfile):
        assert (ROOT / source).exists(), source
    users = [line.split()[1] for line in dockerfile.splitlines() if line.startswith("USER ")]
    assert users == ["10001:10001"]
    froms = [line.split()[1] for line in dockerfile.splitlines() if line.startswith("FROM ")]
    assert len(set(froms)) == 1
    assert "--require-hashes" in dockerfile
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    for folder in ("pipeline", "ingest", "schemas", "deploy/clickhouse", "deploy/requirements"):
        assert f"!{folder}" in kept


def test_nothing_is_demanded_of_the_environment_and_the_head_says_where_secrets_are() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    head = text[: text.index("\nname:")]
    assert not [match for match in VARIABLE.finditer(text) if match["how"] == "?"]
    assert "python3 -m deploy.make_secrets" in head


def test_a_broken_copy_is_seen() -> None:
    """The checks above fail on a copy with a missing profile and on a copy with an open secret."""
    broken = copy.deepcopy(COMPOSE)
    del broken["services"]["kafka-2"]["profiles"]
    assert "kafka-2" in services(broken, profiles={"single"})
    assert "kafka-2" not in services(COMPOSE, profiles={"single"})
    with pytest.raises(KeyError):
        filled("${TWOWAY_TOKENS:?set it}", {})
    assert filled("${PARTITIONS:-12} ${A}", {"A": "b"}) == "12 b"
