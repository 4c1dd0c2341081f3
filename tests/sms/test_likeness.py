"""Octets that look like another coding, and ordinary answers that must not be doubted."""

import pytest

from pipeline.sms.gsm7.default import septets_from_text
from pipeline.sms.likeness import is_ascii, is_packed, is_swapped
from pipeline.sms.words.stopword_sets import WIDE
from pipeline.sms.words.stopwords import STOP_WORDS
from pipeline.stages.parts.message_decoding import decoded

#: What people answer, and numerals, one of each beginning and shape that such answers have.
ANSWERS_IN_UTF_16 = {
    "zh": (
        "好 是 好的 谢谢 不用 不用了 来 去 行 可以 不行 没有 有 对 不对 嗯 哦 哈哈 再见 晚安 早安"
        " 你好 您好 收到 明白 知道了 没问题 好吧 不好 要 不要 想 我来 我去 在 不在 在吗 到了 等等"
        " 多少 谁 哪里 什么 现在 明天 今天 下午 上午 中午 一 二 三 四 五 六 七 八 九 十 同意 确认"
        " 参加 男 女 满意 支持 北京 上海 香港 台灣 謝謝 沒有 好啊 加油 真的 快 慢 大 小 开 关 买 卖"
    ),
    "ja": (
        "はい いいえ 了解 ありがとう 好き 行きます 大丈夫 うん 元気 明日 今日 東京 参加 不参加 何"
        " 誰 どこ いつ ハイ イイエ オッケー 一 二 三 男 女 良い 悪い 無理 済み 本当"
    ),
    "ko": "네 예 아니요 아니 감사합니다 좋아요 싫어요 안녕 안녕하세요 응 넵 확인 참석 오늘 내일 왜",
    "other": "да нет спасибо ευχαριστώ כן לא תודה نعم لا شكرا हाँ नहीं ใช่ ไม่ ขอบคุณ đúng không",
}
ACCENTED = (
    "oui été où ça déjà à bientôt très você não já até está são größe schön früh für Grüße später"
    " señor sí mañana adiós qué cómo così sì perché più è già så på år får gör gå är ø få må blå"
    " kød kött köp Müller José"
)


def flags(octets: bytes, charset: str) -> tuple[str, ...]:
    return decoded(octets, charset).flags


@pytest.mark.parametrize("language", ANSWERS_IN_UTF_16)
def test_an_ordinary_answer_in_utf_16_is_not_doubted(language):
    doubted = [
        answer
        for answer in ANSWERS_IN_UTF_16[language].split()
        if flags(answer.encode("utf-16-be"), "UTF-16BE")
    ]
    assert doubted == []


@pytest.mark.parametrize("charset", ["ISO-8859-1", "GSM-7"])
def test_an_ordinary_answer_with_accents_is_not_doubted(charset):
    octets = [
        answer.encode("latin-1") if charset == "ISO-8859-1" else septets_from_text(answer)
        for answer in ACCENTED.split()
    ]
    assert [each for each in octets if each and flags(each, charset)] == []


def test_few_words_of_two_common_chinese_characters_are_doubted():
    """GB 2312, level 1: each of the 3,755 most common characters, with every 37th of them."""
    common = [
        bytes([row, cell]).decode("gb2312")
        for row in range(0xB0, 0xD8)
        for cell in range(0xA1, 0xFA if row == 0xD7 else 0xFF)
    ]
    assert len(common) == 3755
    alone = sum(bool(flags(each.encode("utf-16-be"), "UTF-16BE")) for each in common)
    assert alone <= 10
    pairs = [first + second for first in common[::10] for second in common[::37]]
    doubted = sum(bool(flags(pair.encode("utf-16-be"), "UTF-16BE")) for pair in pairs)
    assert doubted / len(pairs) < 0.01


@pytest.mark.parametrize("word", [*STOP_WORDS, "STOPALL", "Stop all", *WIDE])
def test_a_word_that_may_be_a_stop_is_doubted_under_a_wrong_label(word):
    if word.isascii() and len(word) % 2 == 0:  # of an odd one the last octet is lost, and flagged
        assert is_ascii(word.encode())
    little = word.encode("utf-16-le")
    if word.isascii() and len(word) > 1:
        assert is_swapped(little)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"Hello!", id="a-word"),
        pytest.param(b"ok then.", id="two-words"),
        pytest.param(b"CALL 911", id="with-digits"),
        pytest.param(b"Don't do", id="with-an-apostrophe"),
        pytest.param(b"call 0770-900 (50%)", id="longer-whatever-is-in-it"),
    ],
)
def test_words_of_ascii_called_utf_16_are_doubted(octets):
    assert is_ascii(octets)


@pytest.mark.parametrize(
    ("packed", "looks"),
    [
        pytest.param("53ea130a", True, id="STOP"),
        pytest.param("e8329bfd4697d9ec37", True, id="hellohello"),
        pytest.param("e761", False, id="two-letters-by-chance"),
        pytest.param("e9", False, id="one-letter-by-chance"),
        pytest.param("e8329bfd4697d9ec37" * 2, False, id="longer-than-a-word"),
    ],
)
def test_packed_septets_are_doubted_where_they_are_a_stop_or_a_long_word(packed, looks):
    assert is_packed(bytes.fromhex(packed)) is looks
