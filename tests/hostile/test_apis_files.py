"""Whatever stands in apis.toml: APIs that can be used, or one sentence that holds no password."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.process import mounted
from pipeline.sender.apis import file as apis_file
from pipeline.sender.apis.api import UnusableApi, WayName
from pipeline.sender.apis.file import ApisError, apis_from_file, apis_from_toml
from pipeline.sender.ways.make import way_of
from tests.hostile.scale import SCALE, dice_for
from tests.sender.apis.test_file import FTP, HTTP, SECRET, SMPP, SMTP, TABLES

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

HERE = Path("apis.toml")
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from([10**400, -(10**400), 65_536, "a\0b", "a\r\nQUIT", "\ud800", "x" * 5_000])
    | st.lists(st.text()) | st.dictionaries(st.text(), st.text())
    | st.text("0123456789abcdef:/.@[]?# %", max_size=30).map("https://".__add__)
)  # fmt: skip
FIELDS = sorted({*apis_file._NAMES, "default", "password", "password_env", "password_file"})
DOCUMENT = f"""[[api]]
api_id = "1"
way = "http"
url = "https://api.example.com"
user = "u"
password = "{SECRET}"
rate = 5.5
[[api]]
api_id = 2
way = "smpp"
host = "smpp.example.com"
user = "u"
password = "{SECRET}"
default = true
"""
MUTATIONS = 500 * SCALE


@given(
    table=st.sampled_from([HTTP, SMPP, SMTP, FTP]),
    changes=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
    way=st.none() | st.sampled_from(list(WayName)),
)
def test_any_value_of_any_field_is_taken_or_refused(
    table: dict[str, object], changes: dict[str, object], way: WayName | None
) -> None:
    given = table | changes | ({"way": way.value} if way else {})
    if "password_env" in changes or "password_file" in changes:
        del given["password"]
    said = ""
    try:
        (api,) = apis_from_toml({"api": [given]}, path=HERE)
        way_of(api)
    except (ApisError, UnusableApi) as error:
        said = str(error)
    assert len(said) < 500
    assert SECRET not in said


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("http", {"url": "https://[::1"}),
        ("http", {"url": "https://api.example.com:99999"}),
        ("http", {"url": "https://api.example.com:0"}),
        ("http", {"url": "https://api.example.com:port"}),
        ("http", {"url": "https://api.example.com/ x"}),
        ("http", {"url": "https://api.example.com/?a=b"}),
        ("http", {"url": "https://api.example.com/#a"}),
        ("http", {"url": f"https://{'a' * 64}.example"}),
        ("http", {"url": "https://api.example.com\r\nHost: a"}),
        ("smpp", {"host": "a" * 64}),
        ("smpp", {"host": "a..b"}),
        ("smpp", {"host": "a b"}),
        ("smpp", {"port": 65_536}),
        ("smpp", {"port": -1}),
        ("smpp", {"port": 10**30}),
        ("smpp", {"window": 10**30}),
        ("http", {"rate": float("nan")}),
        ("http", {"rate": float("inf")}),
        ("http", {"rate": 10**400}),
        ("http", {"timeout_seconds": float("nan")}),
        ("http", {"api_id": 10**5_000}),
        ("http", {"api_id": True}),
        ("http", {"user": "a\nb"}),
        ("http", {"password": f"{SECRET}\r\nQUIT"}),
    ],
)
def test_what_no_call_could_be_made_with_is_refused(name: str, change: dict[str, object]) -> None:
    with pytest.raises(ApisError) as said:
        apis_from_toml({"api": [TABLES[name] | change]}, path=HERE)
    assert SECRET not in str(said.value)


@pytest.mark.parametrize("value", ["a\0b", "/dev/null/x", ".", ""])
def test_a_password_file_that_cannot_be_read_is_refused(tmp_path: Path, value: str) -> None:
    table = {key: given for key, given in HTTP.items() if key != "password"}
    with pytest.raises(ApisError):
        apis_from_toml({"api": [table | {"password_file": value}]}, path=tmp_path / "apis.toml")


@pytest.mark.parametrize(
    "octets",
    [b"a = " + b"[" * 100_000, b"a = " + b"[\n" * 30_000, b"a = " + b"{a=" * 600,
     b"a" + b".a" * 50_000 + b" = 1", (b"a" + b".a" * 900 + b" = 1\n") * 35, b"\0",
     b"a = " + b"9" * 5_000, b"\n" * 66_000],
    ids=["lists", "lists in lines", "tables", "keys", "lines of keys", "NUL", "digits", "lines"],
)  # fmt: skip
def test_depth_and_length_are_refused_soon_and_in_one_sentence(
    tmp_path: Path, octets: bytes
) -> None:
    file = tmp_path / "apis.toml"
    file.touch(mode=0o600)
    file.write_bytes(octets)
    began = time.monotonic()
    with pytest.raises(ApisError) as said:
        apis_from_file(file)
    assert len(str(said.value)) < 500
    assert time.monotonic() - began < 5


def test_a_way_up_and_out_of_the_mounted_secrets_is_not_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounted, "MOUNTED_SECRETS", tmp_path / "secrets")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "apis.toml").write_text(DOCUMENT)
    (tmp_path / "apis.toml").chmod(0o644)
    with pytest.raises(ApisError, match="open to others"):
        apis_from_file(tmp_path / "secrets" / ".." / "apis.toml")


def mutated(dice: random.Random) -> bytes:
    octets = DOCUMENT.encode()
    for _ in range(dice.randint(1, 4)):
        at, until = sorted(dice.randrange(len(octets) + 1) for _ in range(2))
        piece = dice.choice([b"", b"[", b"]", b'"', b"'", b"=", b"\n", b"\0", b"\xff", b"1e999"])
        octets = octets[:at] + piece + octets[dice.choice([at, at + 1, until]) :]
    return octets


def test_mutated_files_say_no_password(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    dice = dice_for("files of APIs")
    file = tmp_path / "apis.toml"
    file.touch(mode=0o600)
    said = []
    for _ in range(MUTATIONS):
        file.write_bytes(mutated(dice))
        try:
            apis_from_file(file)
        except ApisError as error:
            said.append(str(error))
    assert [words for words in said if SECRET in words] == []
    record_property("tried", MUTATIONS)
