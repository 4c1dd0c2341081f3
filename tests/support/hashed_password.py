"""A password of the report's users in tests, and its hash, which takes 0.1 s to make."""

from __future__ import annotations

from pipeline.store.report.who.password import hash_from_password

PASSWORD = "correct horse battery"
HASH = hash_from_password(PASSWORD)
