"""What `up --gateway` writes into the home, and how the stack is pointed at the stand-in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.cli.local.stack_gateway import PlayedGateway
from pipeline.directory.directory import Directory
from pipeline.directory.toml import numbers_from_toml
from pipeline.gateway.settings import API_IDS, LINKED_API, GatewaySettings
from pipeline.sender.apis.file import apis_from_file, default_of
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def played(home: Path, **given: str) -> Settings:
    ports = {"http_port": 18080, "report_port": 18081, "metrics_port": 19102}
    return PlayedGateway(Settings(home=home, **ports, **given)).settings  # type: ignore[arg-type]


def test_the_number_of_the_stand_in_is_in_the_directory_and_linked_with_its_api(
    tmp_path: Path,
) -> None:
    played(tmp_path)
    text = (tmp_path / "numbers.toml").read_text()
    numbers = numbers_from_toml(text, origin="x", loaded_at=datetime(2026, 1, 1, tzinfo=UTC))
    own = GatewaySettings(home=tmp_path)
    directory = Directory(numbers)
    found = directory.find(own.numbers[0])
    assert found is not None
    assert found.api_id == LINKED_API
    apis = apis_from_file(tmp_path / "apis.toml")
    assert [api.api_id for api in apis] == list(API_IDS.values())
    assert default_of(apis) == LINKED_API


def test_a_directory_of_somebody_elses_stays(tmp_path: Path) -> None:
    (tmp_path / "numbers.toml").write_text("# mine\n")
    played(tmp_path)
    assert (tmp_path / "numbers.toml").read_text() == "# mine\n"
    (tmp_path / "numbers.toml").unlink()
    played(tmp_path, numbers="elsewhere.toml")
    assert not (tmp_path / "numbers.toml").exists()


def test_ways_without_a_host_of_their_own_fetch_from_the_stand_in(tmp_path: Path) -> None:
    settings = played(tmp_path)
    assert (settings.smpp_host, settings.ftp_host) == ("127.0.0.1", "127.0.0.1")
    assert settings.ftp_poll_seconds == 1.0
    own = played(tmp_path, smpp_host="smpp.example", ftp_host="ftp.example")
    assert (own.smpp_host, own.ftp_host) == ("smpp.example", "ftp.example")
    assert (own.smpp_port, own.ftp_poll_seconds) == (3550, 30.0)
