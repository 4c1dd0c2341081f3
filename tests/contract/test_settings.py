"""Every setting exists once: with help, read in order, and unknown settings are refused."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.settings import (
    PREFIX,
    SECRETS,
    SETTINGS_FILE,
    Settings,
    SettingsError,
    load_settings,
)

FIELDS = [pytest.param(field, id=field.name) for field in dataclasses.fields(Settings)]

if TYPE_CHECKING:
    from pathlib import Path

    Given = dict[str, str]


@pytest.mark.parametrize("field", FIELDS)
def test_a_setting_has_a_line_of_help(field: dataclasses.Field[Any]) -> None:
    words = field.metadata["help"]
    assert words.strip() == words
    assert words.endswith(".")
    assert "\n" not in words
    assert "|" not in words


def load(tmp_path: Path, *, file: str = "", environment: Given, flags: Given) -> Settings:
    """The settings with `tmp_path` as the home."""
    if file:
        (tmp_path / SETTINGS_FILE).write_text(file)
    return load_settings(
        environment={f"{PREFIX}HOME": str(tmp_path), **environment}, command_line=flags
    )


@pytest.mark.parametrize(
    ("file", "environment", "flags", "port"),
    [
        pytest.param("", {}, {}, Settings.http_port, id="default"),
        pytest.param("http_port = 1", {}, {}, 1, id="file"),
        pytest.param("http_port = 1", {"TWOWAY_HTTP_PORT": "2"}, {}, 2, id="environment"),
        pytest.param(
            "http_port = 1", {"TWOWAY_HTTP_PORT": "2"}, {"http_port": 3}, 3, id="command line"
        ),
        pytest.param("", {"TWOWAY_HTTP_PORT": "2"}, {"http_port": None}, 2, id="flag not given"),
        pytest.param("", {"TWOWAY_HTTP_PORT": "2"}, {"http_port": 0}, 0, id="nought is given"),
        pytest.param("", {"HTTP_PORT": "2"}, {}, Settings.http_port, id="without the prefix"),
    ],
)
def test_the_nearest_setting_counts(
    tmp_path: Path, file: str, environment: Given, flags: Given, port: int
) -> None:
    assert load(tmp_path, file=file, environment=environment, flags=flags).http_port == port


def test_the_home_of_the_command_line_says_which_file_is_read(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("http_port = 1")
    settings = load_settings(
        environment={f"{PREFIX}HOME": "/nowhere"}, command_line={"home": str(tmp_path)}
    )
    assert settings.http_port == 1
    assert settings.home == tmp_path


@pytest.mark.parametrize(
    ("file", "environment", "flags", "words"),
    [
        pytest.param("", {"TWOWAY_HTP_PORT": "1"}, {}, "TWOWAY_HTP_PORT: there is no", id="name"),
        pytest.param("htp_port = 1", {}, {}, "settings.toml: there is no", id="name in the file"),
        pytest.param("", {}, {"htp_port": 1}, "--htp-port: there is no", id="name of a flag"),
        pytest.param("", {"TWOWAY_HTTP_PORT": "x"}, {}, "TWOWAY_HTTP_PORT: http_port", id="int"),
        pytest.param("", {"TWOWAY_BLOCK_SECONDS": "soon"}, {}, "block_seconds must", id="float"),
        pytest.param("http_port = ", {}, {}, "settings.toml: ", id="not TOML"),
        pytest.param("", {"TWOWAY_DEDUPE_HORIZON_HOURS": "71"}, {}, "at least 72", id="horizon"),
        pytest.param("", {"TWOWAY_ASSEMBLY_TIMEOUT_MINUTES": "254"}, {}, "above 254", id="timeout"),
        pytest.param("", {"TWOWAY_MIN_INSYNC_REPLICAS": "2"}, {}, "not exceed", id="replicas"),
    ],
)
def test_a_wrong_setting_refuses_to_start(
    tmp_path: Path, file: str, environment: Given, flags: Given, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        load(tmp_path, file=file, environment=environment, flags=flags)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_every_secret_can_be_the_content_of_a_file(tmp_path: Path, name: str) -> None:
    secret, other = tmp_path / "secret", tmp_path / "other"
    secret.write_text("of-a-file\n")
    other.write_text("of-another")
    variable = f"{PREFIX}{name.upper()}_FILE"
    line = f'{name}_file = "{other}"'
    given = load(tmp_path, file=line, environment={variable: str(secret)}, flags={})
    assert getattr(given, name) == "of-a-file"
    assert getattr(load(tmp_path, file=line, environment={}, flags={}), name) == "of-another"
    value = {variable.removesuffix("_FILE"): "of-the-environment"}
    nearest = load(tmp_path, file=line, environment=value, flags={})
    assert getattr(nearest, name) == "of-the-environment"


def test_a_file_of_a_secret_may_be_named_in_the_file_of_secrets(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush\r\n")
    (tmp_path / "more.toml").write_text(f'smpp_password_file = "{tmp_path / "password"}"\n')
    environment = {"TWOWAY_SECRETS_FILE": str(tmp_path / "more.toml")}
    assert load(tmp_path, environment=environment, flags={}).smpp_password == "hush"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        pytest.param(
            {"TWOWAY_TOKENS_FILE": "/no/such"}, "TWOWAY_TOKENS_FILE: /no/such: No", id="no"
        ),
        pytest.param({"TWOWAY_TOKENS_FILE": "/proc/self/exe"}, "is not UTF-8", id="no text"),
        pytest.param(
            {"TWOWAY_TOKENS_FILE": __file__, "TWOWAY_TOKENS": "x"}, "both given", id="both"
        ),
        pytest.param({"TWOWAY_HTTP_HOST_FILE": __file__}, "there is no setting", id="no secret"),
    ],
)
def test_a_file_of_a_secret_that_cannot_be_read_is_named(
    tmp_path: Path, environment: Given, words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        load(tmp_path, environment=environment, flags={})


def test_a_variable_that_is_left_empty_names_no_file(tmp_path: Path) -> None:
    assert load(tmp_path, environment={"TWOWAY_TOKENS_FILE": ""}, flags={}).tokens == ""


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_settings(environment={}).http_port = 1  # type: ignore[misc]
