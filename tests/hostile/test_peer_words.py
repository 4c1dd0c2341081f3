"""The logged words of a peer hold no secret of ours, no number, and no control character."""

from __future__ import annotations

import unicodedata
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.process import peer_words as module
from pipeline.process.peer_words import LARGEST, keep_secret, peer_words
from tests.hostile.growth import refuse_steep_growth

PASSWORD = 'pä$s w/rd+"7'


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_secrets", set())
    monkeypatch.setattr(module, "_pattern", module._pattern)
    monkeypatch.setattr(module, "_longest", 0)
    keep_secret([PASSWORD, "hush", "ab"])


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        pytest.param("421 you sent hush", "421 you sent [secret]", id="as-it-is"),
        pytest.param("451 you sent HUSH.", "451 you sent [secret].", id="other-case"),
        pytest.param(f"x{PASSWORD}y", "x[secret]y", id="inside-a-word"),
        pytest.param(quote(PASSWORD), "[secret]", id="percent"),
        pytest.param(quote(PASSWORD, safe=""), "[secret]", id="percent-all"),
        pytest.param(quote_plus(PASSWORD), "[secret]", id="form"),
        pytest.param(PASSWORD.encode(), "[secret]", id="octets"),
        pytest.param(PASSWORD.encode().decode("latin-1"), "[secret]", id="utf-8-read-as-latin-1"),
        pytest.param(PASSWORD.encode().hex(), "[secret]", id="hex"),
        pytest.param("h\0us\u200bh", "[secret]", id="with-characters-nobody-sees"),
        pytest.param("ab, cabs", "[secret], cabs", id="a-short-one-only-alone"),
        pytest.param("failed for 447700940001", "failed for [number]", id="number"),
        pytest.param("+44 7700 900-123", "+[number]", id="number-in-groups"),
        pytest.param("٤٤٧٧٠٠٩٤٠٠٠١", "[number]", id="digits-of-another-script"),
        pytest.param("4\0004\0007\0007\0000\0000\0009", "[number]", id="ucs-2"),
        pytest.param(b"447700940001".hex(), "[number]", id="number-in-hex"),
        pytest.param("226 since 2026-11-28", "226 since 2026-11-28", id="a-date-is-none"),
        pytest.param("status 0x0000000E", "status 0x0000000E", id="a-status-is-none"),
        pytest.param("123456", "123456", id="six-digits-are-none"),
        pytest.param("a\r\nb\x1b[2Jc\u202ed", "a  b[2Jcd", id="control"),
        pytest.param("\ud800x", "x", id="lone-surrogate"),
        pytest.param(b"\xff\xfe caf\xe9", "ÿþ café", id="no-utf-8"),
        pytest.param("", "", id="empty"),
    ],
)
def test_words_are_masked(words: str | bytes, shown: str) -> None:
    assert peer_words(words) == shown


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u:", "me:", "you:", "twoway:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_base64_of_a_secret_is_masked_wherever_it_begins(
    encode: object, before: str, after: str
) -> None:
    encoded = encode((before + PASSWORD + after).encode()).decode()  # type: ignore[operator]

    assert "[secret]" in peer_words(encoded)


@pytest.mark.parametrize("cut", range(1, len(PASSWORD) + 1))
def test_a_secret_at_a_cut_is_not_shown_in_part(cut: int) -> None:
    at_limit = "." * (200 - cut) + PASSWORD
    at_largest = "." * (LARGEST - cut) + PASSWORD + "." * LARGEST

    assert PASSWORD[:2] not in peer_words(at_limit)
    assert PASSWORD[:2] not in peer_words(at_largest, limit=2 * LARGEST)
    assert PASSWORD[:2] not in peer_words(PASSWORD * 10_000, limit=2 * LARGEST)


@given(st.text() | st.binary(), st.integers(1, 300))
def test_words_are_one_line_that_is_bounded(words: str | bytes, limit: int) -> None:
    shown = peer_words(words, limit=limit)

    assert len(shown) <= limit
    assert not any(unicodedata.category(each).startswith(("C", "Zl", "Zp")) for each in shown)


@given(st.text(), st.text(), st.sampled_from([PASSWORD, "447700940001"]))
def test_what_surrounds_a_secret_or_number_does_not_show_it(
    before: str, after: str, value: str
) -> None:
    assert value not in peer_words(before + value + after, limit=10_000)


@pytest.mark.parametrize("piece", ["1", "1 ", "a", "%", PASSWORD[:-1], PASSWORD, "\0", "1--", "20"])
def test_the_time_grows_with_the_size(piece: str) -> None:
    refuse_steep_growth(lambda size: lambda: peer_words((piece * size)[:size]), largest=LARGEST)
