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
#: Limits of the reader that no query of its own may change.
LIMITS: Final = {
    "max_execution_time": 30,
    "max_memory_usage": 2_000_000_000,
    "max_memory_usage_for_user": 4_000_000_000,
    "max_concurrent_queries_for_user": 8,
    "max_rows_to_read": 200_000_000,
    "max_result_rows": 1_000_000,
    "max_result_bytes": 134_217_728,
}
USERS: Final = """\
<clickhouse>
    <profiles>
        <twoway_reader>
            <readonly>2</readonly>
{limits}
            <constraints>
{constants}
            </constraints>
        </twoway_reader>
    </profiles>
    <users>
        <default remove="remove"/>
        <twoway>
            <password_sha256_hex>{digest}</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
        </twoway>
        <reader>
            <password_sha256_hex>{reader_digest}</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>twoway_reader</profile>
            <quota>default</quota>
            <grants><query>GRANT SHOW, SELECT ON twoway.*</query></grants>
        </reader>
    </users>
</clickhouse>
"""


def users(*, database: str, reader: str) -> str:
    """ClickHouse's users, with the hashes of their passwords."""
    indent = " " * 12
    return USERS.format(
        digest=hashlib.sha256(database.encode()).hexdigest(),
        reader_digest=hashlib.sha256(reader.encode()).hexdigest(),
        limits="\n".join(f"{indent}<{name}>{most}</{name}>" for name, most in LIMITS.items()),
        constants="\n".join(f"{indent}    <{name}><const/></{name}>" for name in LIMITS),
    )


def contents(*, token: str, metrics: str, database: str, reader: str) -> Mapping[str, str]:
    """The content of each file, by the file's name. `reader`: of programs of others."""
    guard = f'tokens = "{token}"\nbasic_auth = "prometheus:{metrics}"\n'
    server = 'clickhouse = "http://clickhouse:8123"\nclickhouse_user = "twoway"\n'
    return {
        "guard.toml": guard,
        "store.toml": f'{guard}{server}clickhouse_password = "{database}"\n',
        "clickhouse.xml": users(database=database, reader=reader),
        "reader_password": reader,
        "kafka.pem": "",
        "metrics_password": metrics,
        "smpp.toml": OF_A_WAY.format(name="smpp"),
        "ftp.toml": OF_A_WAY.format(name="ftp"),
        "apis.toml": APIS,
        "reply-secrets.toml": REPLIES,
    }


def make(folder: Path) -> list[Path]:
    """Write all files, or none if one of them exists; returns the files written."""
    token, metrics, database, reader = (secrets.token_hex(24) for _ in range(4))
    files = contents(token=token, metrics=metrics, database=database, reader=reader)
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
