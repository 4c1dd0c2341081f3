"""The lines of a TOML text at which its tables and keys are."""

import pytest

from pipeline.directory.lines import TomlLines, TomlPath

TEXT = '''# a comment with [brackets] and "quotes
title = "a # b"

[[number]]
text = """
[[number]]
kind = "not here"
"""
kind = "vmn" # [x]
list = [
  "a", # ]
  "b]",
]
"quoted key" = 1
dotted.key . deep = { one = 1, two = [ { three = 3 } ] }
  [number.custom_reply.STOP]
  text = 'it''s'
[[number]]
kind = \'\'\'
x = 1\'\'\'
[number.custom_reply."opt out"]
enabled = true
'''.replace("'it''s'", "'it # s'")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("number",), 4),
        (("number", 0), 4),
        (("number", 0, "text"), 5),
        (("number", 0, "kind"), 9),
        (("number", 0, "list"), 10),
        (("number", 0, "quoted key"), 14),
        (("number", 0, "dotted", "key", "deep"), 15),
        (("number", 0, "dotted", "key", "deep", "two", 0, "three"), 15),
        (("number", 0, "custom_reply", "STOP"), 16),
        (("number", 0, "custom_reply", "STOP", "text"), 17),
        (("number", 1, "kind"), 19),
        (("number", 1, "custom_reply", "opt out", "enabled"), 22),
        (("number", 1, "missing"), 18),
        (("nothing",), 1),
    ],
)
def test_the_line_of_a_path(path: TomlPath, line: int) -> None:
    assert TomlLines(TEXT).line_of(path) == line


def test_lines_may_end_in_crlf() -> None:
    assert TomlLines(TEXT.replace("\n", "\r\n")).line_of(("number", 1, "kind")) == 19
