"""The manifest of the schema files, `schemas/released.toml`: `python -m tests.contract.released`.

Prints the manifest of the present files. A release adds its lines, and no line is ever changed.
"""

from __future__ import annotations

import hashlib
import sys

from pipeline.avro.single_object import MARKER, header_of
from tests.contract.schema_files import all_versions

HEAD = """\
# Every schema file that was released: the CRC-64-AVRO fingerprint its records begin with (as it is
# on the wire, lowest octet first) and the SHA-256 of the file, for the fingerprint does not cover
# words, defaults and logical types. A line is never changed; a change is a new version.
# `python -m tests.contract.released > schemas/released.toml` writes it.
"""


def manifest() -> dict[str, dict[str, str]]:
    """Each version's fingerprint and digest, by `record/version`."""
    return {
        str(version): {
            "fingerprint": header_of(version.schema)[len(MARKER) :].hex(),
            "sha256": hashlib.sha256(version.path.read_bytes()).hexdigest(),
        }
        for version in all_versions()
    }


def text_from_manifest(entries: dict[str, dict[str, str]]) -> str:
    """The manifest as TOML."""
    lines = [
        f'"{name}" = {{ fingerprint = "{entry["fingerprint"]}", sha256 = "{entry["sha256"]}" }}'
        for name, entry in entries.items()
    ]
    return HEAD + "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text_from_manifest(manifest()))
