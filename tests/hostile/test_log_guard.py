"""Whatever fails, in whichever library: no octets, number or secret reach a log."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

SECRET = "hush-hush"
NUMBER = "447700940001"
TEXT = "Meet me at noon"
BEGIN = f"""
import asyncio, logging, sys, threading, functools
from pipeline.process.log_guard import log_to_stderr, log_loop_failure
from pipeline.settings import Settings
log_to_stderr(Settings(ftp_password={SECRET!r}, log_level="debug"))
value = {TEXT!r} + " " + {NUMBER!r} + " " + {SECRET!r}
ours, other = logging.getLogger("twoway.x"), logging.getLogger("aiokafka.x")
other.setLevel("DEBUG")
"""
FAILURES = {
    "message": "ours.error('peer 447700940001 said hush-hush')",
    "argument": "ours.error('%s %r', '447700940001', 'hush-hush'); ours.error('%s', b'Meet me at')",
    "mapping": "ours.error('%(it)s', {'it': '447700940001 hush-hush'})",
    "wrong-format": "ours.error('%d', value)",
    "exception-argument": "ours.error('failed: %s', KeyError(value))",
    "other-library": "other.error('cannot take %r', {'text': value})",
    "other-library-message": "other.error(f'cannot take {value!r}')",
    "traceback": "\ntry: {}[value]\nexcept KeyError: ours.exception('defect')",
    "chain": (
        "\ntry:\n  try: int(value)"
        "\n  except ValueError as e: raise RuntimeError(repr(value)) from e"
        "\nexcept RuntimeError: ours.exception('defect')"
    ),
    "group": (
        "\ntry: raise ExceptionGroup('some', [ValueError(repr(value))])"
        "\nexcept ExceptionGroup: ours.exception('defect')"
    ),
    "end": "raise ValueError(repr(value))",
    "thread": "t = threading.Thread(target=lambda: {}[value]); t.start(); t.join()",
    "unraisable": "\nclass A:\n  def __del__(self): {}[value]\na = A(); del a",
    "loop-callback": (
        "\nasync def main():"
        "\n  asyncio.get_running_loop().call_soon(functools.partial({}.pop, value))"
        "\n  await asyncio.sleep(0.01)\nasyncio.run(main())"
    ),
    "loop-task": (
        "\nasync def fail(it): raise ValueError(repr(it))\nasync def main():"
        "\n  asyncio.create_task(fail(value))\n  await asyncio.sleep(0.01)\nimport gc"
        "\nasyncio.run(main()); gc.collect()"
    ),
    "loop-of-ours": (
        "\nasync def main():\n  loop = asyncio.get_running_loop()"
        "\n  loop.set_exception_handler(log_loop_failure)"
        "\n  loop.call_soon(functools.partial({}.pop, value))"
        "\n  await asyncio.sleep(0.01)\nasyncio.run(main())"
    ),
}


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", dedent(BEGIN) + code], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("code", FAILURES.values(), ids=FAILURES)
def test_a_failure_is_said_without_what_was_at_hand(code: str) -> None:
    said = run(code)

    assert said.strip()
    for value in (SECRET, NUMBER, TEXT):
        assert value not in said


def test_what_is_needed_stays() -> None:
    said = run(
        "ours.warning('offset %d of %s', 12345678, 'mo-raw')\n"
        "try: open('/no/such')\nexcept OSError: ours.exception('defect')"
    )

    assert "WARNING twoway.x offset 12345678 of mo-raw" in said
    assert "/no/such" in said
    assert 'File "<string>"' in said


def test_a_line_of_a_peer_does_not_look_like_one_of_the_log() -> None:
    said = run("ours.warning('peer: %s', 'a\\n2026-11-28 03:00:00 INFO twoway.x all is well')")

    assert "\n2026-11-28 03:00:00" not in said


def test_one_place_cannot_fill_the_log() -> None:
    said = run("for n in range(10_000): ours.error('again %d', n)")

    assert said.count("again") == 50
