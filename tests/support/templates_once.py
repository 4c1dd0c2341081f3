"""Templates of pages are compiled once in a process of the tests, and not for each report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import BytecodeCache, Environment

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class Kept(BytecodeCache):
    """Compiled templates in memory; Jinja looks whether the source is still the same."""

    def __init__(self) -> None:
        self._octets: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._octets:
            bucket.bytecode_from_string(self._octets[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._octets[bucket.key] = bucket.bytecode_to_string()


def compile_templates_once() -> None:
    """From now on all environments of this process share what they have compiled."""
    begin, kept = Environment.__init__, Kept()

    def begin_with_kept(environment: Environment, *given: Any, **named: Any) -> None:
        begin(environment, *given, **{"bytecode_cache": kept} | named)

    Environment.__init__ = begin_with_kept  # type: ignore[method-assign]
