"""`[reply_path.NAME]` of numbers.toml: what it allows, and what is refused with line and field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.directory.directory import Directory, NumbersError, numbers_from_toml
from pipeline.records import ReplyPath

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = '[[number]]\nnumber = "447700900100"\nkind = "vmn"\nreply_path = "crm"\n'
RANGE = '[[number]]\nfirst = "4477009010"\nlast = "4477009019"\nkind = "tagged-range"\n'


def read(text: str) -> Directory:
    return Directory(numbers_from_toml(text, origin="numbers.toml", loaded_at=NOON))


def test_a_path_has_the_fields_it_is_given_and_the_others_by_default() -> None:
    directory = read(
        NUMBER + '[reply_path.crm]\nway = "webhook"\nurl = "https://crm.example.com/a?b=%20"\n'
        'events = ["consent", "consent"]\n'
    )
    assert directory.reply_path_of("447700900100") == ReplyPath(
        name="crm",
        way="webhook",
        url="https://crm.example.com/a?b=%20",
        unit="message",
        charset="original",
        ordered=False,
        events=["consent"],
        internal=False,
        tls="on",
        window=16,
        timeout_seconds=15,
        rotate_megabytes=0,
    )
    assert directory.reply_path_of("447700900101") is None


def test_a_tagged_range_has_one_path_for_all_its_numbers() -> None:
    path = '[reply_path.log]\nway = "file"\nurl = "/var/log/mo.log"\nrotate_megabytes = 10\n'
    directory = read(f'{RANGE}reply_path = "log"\n{path}')
    found = [directory.reply_path_of(f"447700901{at}") for at in range(10)]
    assert found == [directory.reply_path("log")] * 10


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/",
        "https://[::1]/x",
        "http://crm.example.com?key=1",
    ],
)
def test_an_operators_address_may_be_any(url: str) -> None:
    directory = read(f'{NUMBER}[reply_path.crm]\nway = "http-get"\nurl = "{url}"\n')
    assert directory.reply_path_of("447700900100") is not None


PATH = "[reply_path.crm]\n"
HTTP = 'way = "http-post"\nurl = "http://crm.example.com/"\n'
FILE = 'way = "file"\nurl = "/mo.log"\n'
FTP = 'way = "ftp"\nurl = "ftp://ftp.example.com/mo.log"\n'


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        pytest.param("", 4, "number.reply_path", "there is no [reply_path.crm]", id="not there"),
        pytest.param(PATH, 5, "reply_path.crm.way", "is missing", id="no way"),
        pytest.param(
            PATH + 'way = "smpp"\nurl = "x"\n', 7, "reply_path.crm.url", "binds to us", id="smpp"
        ),
        pytest.param(
            PATH + 'way = "pigeon"\nurl = "x"\n', 6, "reply_path.crm.way", "one of", id="no way"
        ),
        pytest.param(
            PATH + 'way = "http-get"\n', 5, "reply_path.crm.url", "is missing", id="no url"
        ),
        pytest.param(
            PATH + 'way = "http-get"\nurl = "ftp://x/"\n', 7, "reply_path.crm.url", "http", id="ftp"
        ),
        pytest.param(
            PATH + 'way = "http-get"\nurl = "http:///x"\n', 7, "reply_path.crm.url", "host", id="-"
        ),
        pytest.param(
            PATH + 'way = "webhook"\nurl = "https://u:p@x/"\n',
            7,
            "reply_path.crm.url",
            "reply-secrets.toml",
            id="a password",
        ),
        pytest.param(
            PATH + 'way = "webhook"\nurl = "https://x/#y"\n', 7, "reply_path.crm.url", "#", id="#"
        ),
        pytest.param(
            PATH + 'way = "webhook"\nurl = "https://x/a b"\n',
            7,
            "reply_path.crm.url",
            "%XX",
            id="a blank",
        ),
        pytest.param(
            PATH + 'way = "webhook"\nurl = "https://x:y/"\n',
            7,
            "reply_path.crm.url",
            "no URL",
            id="no port",
        ),
        pytest.param(
            PATH + 'way = "file"\nurl = "mo.log"\n', 7, "reply_path.crm.url", "/", id="relative"
        ),
        pytest.param(
            PATH + 'way = "ftp"\nurl = "ftp://x/"\n', 7, "reply_path.crm.url", "log", id="no log"
        ),
        pytest.param(
            PATH + HTTP + 'unit = "line"\n', 8, "reply_path.crm.unit", "message, part", id="unit"
        ),
        pytest.param(
            PATH + HTTP + 'charset = "latin1"\n', 8, "reply_path.crm.charset", "utf-8", id="charset"
        ),
        pytest.param(
            PATH + HTTP + 'ordered = "yes"\n', 8, "reply_path.crm.ordered", "true", id="ordered"
        ),
        pytest.param(
            PATH + HTTP + 'events = ["consent"]\n',
            8,
            "reply_path.crm.events",
            "webhook",
            id="events by a form of the guide",
        ),
        pytest.param(
            PATH + 'way = "webhook"\nurl = "https://x/"\nevents = ["weather"]\n',
            8,
            "reply_path.crm.events",
            "weather",
            id="an unknown event",
        ),
        pytest.param(
            PATH + HTTP + "window = 0\n", 8, "reply_path.crm.window", "from 1", id="window"
        ),
        pytest.param(
            PATH + HTTP + "window = true\n", 8, "reply_path.crm.window", "whole", id="a truth"
        ),
        pytest.param(
            PATH + FTP + "window = 4\n", 8, "reply_path.crm.window", "is 1", id="window of ftp"
        ),
        pytest.param(
            PATH + HTTP + "timeout_seconds = 16\n",
            8,
            "reply_path.crm.timeout_seconds",
            "15",
            id="longer than the guide's",
        ),
        pytest.param(
            PATH + HTTP + "rotate_megabytes = 1\n",
            8,
            "reply_path.crm.rotate_megabytes",
            "file",
            id="rotating http",
        ),
        pytest.param(
            PATH + HTTP + 'tls = "encrypt-only"\n', 8, "reply_path.crm.tls", "https", id="tls"
        ),
        pytest.param(
            PATH + 'way = "smpp"\ncharset = "utf-8"\n',
            7,
            "reply_path.crm.charset",
            "data_coding",
            id="utf-8 by smpp",
        ),
        pytest.param(
            PATH + FILE + "internal = true\n", 8, "reply_path.crm.internal", "host", id="file"
        ),
        pytest.param(
            PATH + HTTP + 'password = "x"\n', 8, "reply_path.crm.password", "no such", id="field"
        ),
        pytest.param('reply_path = "crm"\n', 5, "reply_path", "", id="not a table"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_field(
    text: str, line: int, field: str, words: str
) -> None:
    if text == 'reply_path = "crm"\n':  # at the top, where it is not the number's
        text, given = "", 'reply_path = "crm"\n' + NUMBER
        line = 1
    else:
        given = NUMBER + text
    with pytest.raises(NumbersError) as refused:
        read(given)
    mistakes = str(refused.value).splitlines()
    found = [each for each in mistakes if each.startswith(f"numbers.toml:{line}: {field}: ")]
    assert found, mistakes
    assert words in found[0]


def test_a_name_that_could_be_mistaken_is_refused() -> None:
    with pytest.raises(NumbersError, match="its name must be letters"):
        read('[reply_path."a b"]\n' + HTTP)
