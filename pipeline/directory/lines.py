"""The line numbers of the tables and keys of a TOML text. `tomllib` does not give them."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TomlPath = tuple[str | int, ...]

# A string, a comment, a bracket or the end of a line. These tokens are enough to find where a
# statement starts. Multi-line strings come first (TOML 1.0, "String").
_TOKEN: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|'
    r"'''.*?'''|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'|"
    r"#[^\n]*|[\[\]{}\n]",
    re.DOTALL,
)


class TomlLines:
    """Line numbers, from 1, by path: `("number", 0, "kind")`. The text must be valid TOML."""

    def __init__(self, text: str) -> None:
        self._line_of: dict[TomlPath, int] = {}
        self._counts: dict[TomlPath, int] = {}
        table: TomlPath = ()
        for line, statement in _statements(text):
            if statement.startswith("["):
                table = self._table_path(statement)
                self._note(table, line)
            else:
                for path in self._key_paths(statement):
                    self._note(table + path, line)

    def line_of(self, path: Sequence[str | int]) -> int:
        """The line of `path`, or of the nearest table around it whose line is known."""
        for length in range(len(path), 0, -1):
            line = self._line_of.get(tuple(path[:length]))
            if line:
                return line
        return 1

    def _note(self, path: TomlPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self._line_of.setdefault(path[:length], line)

    def _table_path(self, header: str) -> TomlPath:
        is_array = header.startswith("[[")
        names = _names(tomllib.loads(header))
        path: TomlPath = ()
        for position, name in enumerate(names):
            path = (*path, name)
            if is_array and position == len(names) - 1:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    @staticmethod
    def _key_paths(statement: str) -> list[TomlPath]:
        """The paths that a statement sets, with those of an inline table.

        All of them get the first line of the statement.
        """
        return list(_leaves(tomllib.loads(statement)))


def _names(value: Any) -> list[str]:
    names: list[str] = []
    while value:
        if isinstance(value, list):
            value = value[0]
            continue
        name, value = next(iter(value.items()))
        names.append(name)
    return names


def _leaves(value: Any) -> Iterator[TomlPath]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, child in inner:
        yield (name,)
        if isinstance(child, dict | list):
            for path in _leaves(child):
                yield (name, *path)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each whole statement (a table header, or a key with its value) and the line it starts on."""
    text = text.replace("\r\n", "\n")
    start = depth = 0
    for token in _TOKEN.finditer(text + "\n"):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif token[0] == "\n" and depth == 0:
            statement = text[start : token.start()]
            skipped = len(statement) - len(statement.lstrip())
            if statement.strip() and not statement.lstrip().startswith("#"):
                yield text.count("\n", 0, start + skipped) + 1, statement.strip()
            start = token.end()
