"""Stop words by language and by law. Each word has the source that shows its use as a stop word.

The five words of the guide (G7.1.1) belong to every set and are not repeated here. A number chooses
sets with `stop_words` in numbers.toml. At that number the words of the set count as stop words for
our own state. At all other numbers the words are put to review. The gateway's state follows only
the words of the guide. The words are spelled as people type them, in upper case if the script has
it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_FCC: Final = "47 CFR 64.1200(a)(10), 89 FR 15756: a stop word per se"
_AWS: Final = "docs.aws.amazon.com/sms-voice: required opt-out keywords"
_TWILIO: Final = "www.twilio.com/docs/messaging/tutorials/advanced-opt-out: default keywords"
_TWILIO_PROXY: Final = "www.twilio.com/docs/proxy/opt-out-keywords"
_SINCH: Final = "community.sinch.com ta-p/18980: default keywords by language"
_BREVO: Final = "help.brevo.com 208723209: in place of STOP in Norway"
_MOVISTAR: Final = "microsiervos.com, 26 February 2008: Movistar's advertising, Spain"
_NOTIFYCAME: Final = "notifycame.com/page/funciones-de-sms: Spanish default keywords"
_ANATEL: Final = "Anatel's order of June 2012: SAIR to 888, 55555, 4112, 457 (Claro, Oi, TIM, Vivo)"
_TELLUS: Final = "TellusTalk, documentation of mailing lists: Svara STOPP"
_EGYPT: Final = "codes of the Egyptian operators: the word to 1666 (Etisalat)"
_TENCENT: Final = "intl.cloud.tencent.com/document/product/382/35474"
_HUAWEI: Final = "support.huaweicloud.com/msgsms_faq/sms_faq_0110.html"
_PLAIN: Final = "the language's own word for stop; no operator's list was found"

SETS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "en-us": (
        ("REVOKE", _FCC),
        ("OPT OUT", _FCC),
        ("OPTOUT", _TWILIO),
        ("REMOVE", _AWS),
        ("UNSUB", _BREVO),
    ),
    "fr": (
        ("ARRET", _AWS),
        ("ARRÊT", _AWS),
        ("ARRETE", _TWILIO_PROXY),
        ("ARRETT", _TWILIO_PROXY),
        ("ARRETER", _PLAIN),
        ("ARRÊTER", _PLAIN),
        ("DESABONNER", _PLAIN),
        ("DÉSABONNER", _PLAIN),
    ),
    "es": (
        ("BAJA", _MOVISTAR),
        ("PARAR", _NOTIFYCAME),
        ("CANCELAR", _NOTIFYCAME),
        ("DETENER", _SINCH),
        ("SALIR", _SINCH),
        ("ALTO", _PLAIN),
    ),
    "pt": (
        ("SAIR", _ANATEL),
        ("PARAR", _SINCH),
        ("CANCELAR", _SINCH),
        ("PARE", _PLAIN),
    ),
    "de": (
        ("STOPP", _PLAIN),
        ("ABMELDEN", _PLAIN),
        ("ABBESTELLEN", _PLAIN),
        ("KÜNDIGEN", _PLAIN),
    ),
    "sv": (("STOPP", _TELLUS), ("AVSLUTA", _PLAIN)),
    "no": (("STOPP", _PLAIN), ("UNSUB", _BREVO), ("SLUTT", _PLAIN)),
    "da": (("STOPP", _PLAIN), ("AFMELD", _PLAIN)),
    "nl": (("STOPPEN", _PLAIN), ("AFMELDEN", _PLAIN)),
    "it": (("FERMA", _PLAIN), ("BASTA", _PLAIN), ("CANCELLA", _PLAIN)),
    "pl": (("STOPUJ", _PLAIN), ("REZYGNUJE", _PLAIN), ("REZYGNUJĘ", _PLAIN)),
    "tr": (("DUR", _PLAIN), ("RET", _PLAIN), ("IPTAL", _PLAIN)),
    "ru": (("СТОП", _PLAIN), ("ОТПИСАТЬСЯ", _PLAIN), ("ОТМЕНА", _PLAIN)),
    "el": (("ΣΤΟΠ", _PLAIN), ("ΔΙΑΓΡΑΦΗ", _PLAIN)),
    "he": (("הסר", _PLAIN), ("עצור", _PLAIN)),
    "ar": (
        ("إلغاء", _EGYPT),
        ("الغاء", _EGYPT),
        ("قف", _PLAIN),
        ("توقف", _PLAIN),
        ("إيقاف", _PLAIN),
        ("ايقاف", _PLAIN),
        ("إلغاء الاشتراك", _PLAIN),
        ("الغاء الاشتراك", _PLAIN),
    ),
    "zh": (
        ("TD", _TENCENT),
        ("T", _TENCENT),
        ("N", _TENCENT),
        ("R", _HUAWEI),
        ("退订", _PLAIN),
        ("退訂", _PLAIN),
        ("停止", _PLAIN),
        ("拒收", _PLAIN),
    ),
    "hi": (("बंद", _PLAIN), ("रोको", _PLAIN)),
    "id": (("BERHENTI", _PLAIN), ("UNREG", _PLAIN)),
    "vi": (("HUY", _PLAIN), ("HỦY", _PLAIN)),
    "th": (("หยุด", _PLAIN), ("ยกเลิก", _PLAIN)),
    "ja": (("停止", _PLAIN), ("配信停止", _PLAIN)),
    "ko": (("중지", _PLAIN), ("수신거부", _PLAIN)),
}

#: Requests to be left alone. A text that contains one should be read by a person.
STOP_REQUESTS: Final = (
    "leave me alone",
    "leave us alone",
    "remove me",
    "take me off",
    "delete me",
    "delete my number",
    "remove my number",
    "remove this number",
    "lose my number",
    "wrong number",
    "do not text",
    "dont text",
    "don t text",
    "do not contact",
    "dont contact",
    "don t contact",
    "do not message",
    "dont message",
    "don t message",
    "no more texts",
    "no more messages",
    "opt me out",
    "go away",
)


@lru_cache(maxsize=256)
def words_of_sets(names: tuple[str, ...]) -> tuple[str, ...]:
    """The words of these sets, each once. A name of no set is ignored."""
    return tuple(dict.fromkeys(word for name in names for word, _ in SETS.get(name, ())))


#: Every word of more than one character. A single character, such as N, may answer a question.
WIDE: Final = tuple(word for word in words_of_sets(tuple(SETS)) if len(word) > 1)
