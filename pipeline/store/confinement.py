"""Confines the store's process to its own files before it opens the embedded engine.

An analyst's statement runs in the engine with the rights of the process, and the engine's function
`file` needs no grant. So the process first gives up its rights to other files. Then a statement
that passes the other fences still finds no secret, no key and no environment of a process.
"""

from __future__ import annotations

import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from pipeline.compiled import ROOT
from pipeline.engine.faust.app import FAUST_FOLDER
from pipeline.process import landlock, troubles
from pipeline.process.landlock import MAY_CHANGE, MAY_LIST, MAY_READ
from pipeline.process.peer_words import words_of_error
from pipeline.store.clickhouse.database import FOLDER_NAME, INSERTS_NAME
from pipeline.store.clickhouse.folder import LOCK_SUFFIX
from pipeline.store.report.who.users_file import users_from_file
from pipeline.suppression_key import read_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pipeline.store.report.who.users_file import User
    from pipeline.suppression_key import SuppressionKey

log = logging.getLogger(__name__)

OWNER_NAME: Final = FOLDER_NAME + LOCK_SUFFIX
_FOLDERS: Final = (FOLDER_NAME, INSERTS_NAME, FAUST_FOLDER, troubles.FOLDER)
_OURS: Final = ("pipeline", "ingest", "schemas", "deploy")
_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/sys/fs/cgroup", "/sys/devices/system")
#: Files of /etc: host names, time zones and certificates.
_ETC: Final = (
    "hosts", "resolv.conf", "nsswitch.conf", "host.conf", "gai.conf", "services", "protocols",
    "localtime", "timezone", "ld.so.cache", "ssl", "ca-certificates", "pki",
)  # fmt: skip
_DEVICES: Final = ("urandom", "random", "zero")
#: Files of /proc on memory and processor time. /proc/self/environ is not among them.
#: The engine needs /proc/self/auxv: without it, the engine looks for the auxiliary vector behind
#: the environment, which is elsewhere once a variable was set, and ends with SIGSEGV.
_PROC: Final = ("meminfo", "cpuinfo", "stat", "loadavg", "uptime", "filesystems", "sys/vm")
_PROC_SELF: Final = (
    "stat", "statm", "status", "limits", "fd", "maps", "smaps_rollup", "mounts", "mountinfo",
    "cgroup", "io", "schedstat", "auxv",
)  # fmt: skip


def files_of(home: Path) -> Iterator[tuple[Path, int]]:
    """The files and folders that a store of this home opens, and the rights it needs.

    The home itself is not among them, because it holds settings.toml.
    """
    for name in _FOLDERS:
        yield home / name, MAY_CHANGE
    yield home / OWNER_NAME, MAY_CHANGE
    for folder in (*map(ROOT.joinpath, _OURS), Path(sys.prefix), Path(sys.base_prefix)):
        yield folder, MAY_READ
    for entry in filter(None, sys.path):
        yield Path(entry), MAY_LIST
    for name in _SYSTEM:
        yield Path(name), MAY_READ
    yield Path("/dev/null"), MAY_CHANGE
    for parent, names in (
        ("/etc", _ETC), ("/dev", _DEVICES), ("/proc", _PROC), ("/proc/self", _PROC_SELF),
    ):  # fmt: skip
        for name in names:
            yield Path(parent, name), MAY_READ


class Confinement:
    """Confines this thread, and all threads that it starts, from `with` on.

    One thread is started before that and is not confined. It reads the suppression key and the
    users of the report, which may change long after the store has started, in folders that the
    engine must not read.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._outside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reads-outside")

    def __enter__(self) -> Self:
        self._outside.submit(int).result()  # start the thread before the confinement
        for name in _FOLDERS:
            (self._home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._home / OWNER_NAME).touch()
        # While it is imported, the engine makes a temporary folder under TMPDIR.
        os.environ["TMPDIR"] = str((self._home / INSERTS_NAME).absolute())
        if not landlock.is_known():
            log.warning(
                "this kernel has no Landlock: only the checks of statements keep SQL from reading"
                " files of this machine"
            )
            return self
        try:
            landlock.confine(files_of(self._home))
        except OSError as error:  # a container may forbid it
            log.warning("the store is not confined to its files: %s", words_of_error(error))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._outside.shutdown(wait=False)

    def read_key(self, file: Path) -> SuppressionKey | None:
        """The same as `pipeline.suppression_key.read_key`, in the thread that is not confined."""
        return self._outside.submit(read_key, file).result()

    def read_users(self, file: Path) -> dict[str, User] | None:
        """The same as `users_from_file`, in the thread that is not confined."""
        return self._outside.submit(users_from_file, file).result()
