"""The files of a home that are worth saving. What is not named here is made anew."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from ingest.ftp import checkpoint
from pipeline.cli.backup.manifest import FILES_FOLDER, file_digest_of
from pipeline.cli.local.stack_ways import NUMBERS_NAME
from pipeline.cli.terminal.failure import CommandError
from pipeline.clock import OFFSET_FILE
from pipeline.delivery import secrets_file
from pipeline.sender.apis import file as apis_file
from pipeline.setting_sources import SETTINGS_FILE
from pipeline.store.report.export.saved import FILE_NAME as REPORTS_FILE
from pipeline.store.report.export.saved_book import BOOK_NAME
from pipeline.store.report.who.home_secrets import KEY_FILE, TOKEN_FILE
from pipeline.store.report.who.users_file import USERS_FILE
from pipeline.suppression_key import key_file, read_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipeline.settings import Settings

FTP_PLACE: Final = f"{checkpoint.FOLDER}/{checkpoint.NAME}"
#: Relative to the home.
SAVED: Final = (
    SETTINGS_FILE,
    NUMBERS_NAME,
    apis_file.FILE,
    secrets_file.FILE,
    USERS_FILE,
    REPORTS_FILE,
    BOOK_NAME,
    TOKEN_FILE,
    KEY_FILE,
    OFFSET_FILE,
    FTP_PLACE,
)
#: Settings that name a file in place of one of the home.
_ELSEWHERE: Final = ("numbers", "apis", "reply_secrets_file", "secrets_file")


def save_files(settings: Settings, folder: Path) -> dict[str, str]:
    """Copy the files of the home; returns the digest of each."""
    saved = {}
    for name in SAVED:
        file = settings.home / name
        if file.is_file():
            _copy(file, folder / FILES_FOLDER / name)
            saved[name] = file_digest_of(folder / FILES_FOLDER / name)
    return saved


def files_elsewhere(settings: Settings) -> list[str]:
    """Files that settings name outside the home: they are not saved."""
    return [value for name in _ELSEWHERE if (value := getattr(settings, name)) and value != "-"]


def put_files(settings: Settings, folder: Path, saved: Mapping[str, str]) -> Iterator[str]:
    """Copy saved files into the home; a file that is there stays. Yields words about each."""
    for name, digest in saved.items():
        file = settings.home / name
        if not file.exists():
            _copy(folder / FILES_FOLDER / name, file)
            yield f"{name}: written"
        elif file_digest_of(file) == digest:
            yield f"{name}: the same"
        else:
            yield f"{name}: there already and different; it stays"


def fingerprint_of_key(settings: Settings) -> str:
    """The fingerprint of the suppression key in hex; empty if there is none yet."""
    key = read_key(key_file(settings))
    return key.fingerprint.hex() if key else ""


def save_key(settings: Settings, file: Path, *, apart_from: Path) -> None:
    """Copy the suppression key to a new file; raises `CommandError` for one beside the data."""
    if file.absolute().is_relative_to(apart_from.absolute()):
        raise CommandError("the suppression key belongs apart from the data: name another folder")
    if file.exists():
        raise CommandError(f"{file} exists")
    _copy(key_file(settings), file)


def put_key(settings: Settings, given: Path | None, fingerprint: str) -> str:
    """See that the installation has the key of the backup; returns words about it.

    Raises `CommandError` if it is missing or is another one.
    """
    if not fingerprint:
        return "none was made yet"
    file = key_file(settings)
    key, words = read_key(file), "the same"
    if key is None and given is not None:
        key, words = read_key(given), "written"
    if key is None:
        raise CommandError(
            f"the suppression key is missing: name its copy by --key, or put it at {file}"
        )
    if key.fingerprint.hex() != fingerprint:
        raise CommandError("the suppression key is another one than that of the backup")
    if not file.exists() and given is not None:
        _copy(given, file)
    return words


def _copy(source: Path, target: Path) -> None:
    """Copy in one step, readable for the owner alone."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.copy")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as read, os.fdopen(descriptor, "wb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())
    draft.replace(target)
