"""Makes the secrets of the compose file: `python3 -m deploy.make_secrets [FOLDER]`. Run it once.

It needs only Python, and writes nothing if a secret exists already. The folder has mode 0700. The
files in it have mode 0644, because each service reads its files as another user.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = Path("secrets")
OF_A_WAY: Final = '# Add a line: {name}_password = "…"\n'
APIS: Final = """\
# The APIs to send by; docs/ways-out.md has every field.
# [[api]]
# api_id = "3155"
# way = "http"
# url = "https://api.clickatell.com"
# user = "…"
# password = "…"
"""
REPLIES: Final = """\
# What reply paths sign with and log in by; docs/reply-paths.md has every field.
# [crm]
# secrets = ["whsec_…"]
"""
USERS: Final = """\
<clickhouse>
    <users>
        <default remove="remove"/>
        <twoway>
            <password_sha256_hex>{digest}</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
        </twoway>
    </users>
</clickhouse>
"""


def contents(*, token: str, metrics: str, database: str) -> Mapping[str, str]:
    """The content of each file, by the file's name."""
    guard = f'tokens = "{token}"\nbasic_auth = "prometheus:{metrics}"\n'
    digest = hashlib.sha256(database.encode()).hexdigest()
    return {
        "guard.toml": guard,
        "store.toml": f'{guard}clickhouse = "http://twoway:{database}@clickhouse:8123"\n',
        "clickhouse.xml": USERS.format(digest=digest),
        "metrics_password": metrics,
        "smpp.toml": OF_A_WAY.format(name="smpp"),
        "ftp.toml": OF_A_WAY.format(name="ftp"),
        "apis.toml": APIS,
        "reply-secrets.toml": REPLIES,
    }


def make(folder: Path) -> list[Path]:
    """Write all files, or none if one of them exists; returns the files written."""
    token, metrics, database = (secrets.token_hex(24) for _ in range(3))
    files = contents(token=token, metrics=metrics, database=database)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if any((folder / name).exists() for name in files):
        return []
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    return [folder / name for name in files]


if __name__ == "__main__":
    made = make(Path(*sys.argv[1:2]) if sys.argv[1:] else FOLDER)
    print("\n".join(map(str, made)) or "nothing is written, because there are secrets already")
