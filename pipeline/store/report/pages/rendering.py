"""Pages as HTML. A list is one template, on its own page, on the first page and as a piece."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.credits import amount_from_units
from pipeline.store.report.lists.cursor import iso_from_time
from pipeline.web.visible import legible, pieces_from_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.store.report.caller import Caller
    from pipeline.store.report.route import PageRequest
    from pipeline.store.report.warn.warning import OperatorWarning

HERE: Final = Path(__file__).parents[1]
STATIC: Final = {
    "report.css": ("text/css", (HERE / "static" / "report.css").read_bytes()),
    "report.svg": ("image/svg+xml", (HERE / "static" / "report.svg").read_bytes()),
    "report.js": ("text/javascript", (HERE / "static" / "report.js").read_bytes()),
}
#: Characters of a text in a table; the message's page has all.
SHORT: Final = 320


class Rendering:
    """Renders the templates."""

    def __init__(
        self,
        *,
        warnings: Callable[[], Sequence[OperatorWarning]] = tuple,
        form_token: Callable[[Caller], str] = lambda _: "",
    ) -> None:
        """`warnings` gives those that stand; the banner of each page has them.

        `form_token` gives what each form of a caller's carries.
        """
        self._warnings = warnings
        self._form_token = form_token
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=harmless,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "time": html_of_time,
            "day": lambda value: value.strftime("%Y-%m-%d"),
            "count": lambda number: f"{number:,}",
            "amount": amount_from_units,
            "shown": html_of_text,
            "short": lambda text: html_of_text(text, most=SHORT),
            "dump": dump_from_hex,
            "pairs": pairs_from_hex,
            "place": iso_from_time,
            "query": query_of,
        }

    def html(self, template: str, asked: PageRequest, **values: Any) -> str:
        """A page, with who asks and what the bar above needs."""
        return self._templates.get_template(template).render(
            asked=asked,
            root=asked.root,
            now=datetime.now(UTC),
            warnings=self._warnings(),
            **({"form_token": self._form_token(asked.caller)} | values),
        )


def harmless(value: Any) -> Any:
    """What any expression of a template comes to: a text without characters that act, by name."""
    return legible(value) if type(value) is str and not value.isprintable() else value


def html_of_time(value: datetime | date | None) -> Markup:
    """A time in UTC; a script shows it in the reader's zone, and UTC beside the pointer."""
    if value is None:
        return Markup("")
    if not isinstance(value, datetime):
        return Markup("<time>{}</time>").format(value.isoformat())
    exact = iso_from_time(value)
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        exact, exact[:-1].replace("T", " "), value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    )


def html_of_text(text: str, *, most: int = 0) -> Markup:
    """A text as it is read, in its own direction; what cannot be seen is named."""
    is_cut = most and len(text) > most
    pieces = pieces_from_text(text[:most] if is_cut else text)
    inner = Markup("").join(
        Markup('<b class="odd">{}</b>').format(piece.text) if piece.is_odd else piece.text
        for piece in pieces
    )
    cut = Markup('<span class="cut"> … {} more</span>').format(f"{len(text) - most:,}")
    return Markup('<bdi dir="auto">{}</bdi>{}').format(inner, cut if is_cut else "")


def dump_from_hex(octets: str, most: int = 4_096) -> str:
    """Octets as lines of sixteen: where they are, in hex, and as ASCII."""
    held = bytes.fromhex(octets)
    lines = [
        f"{at:06x}  {held[at : at + 16].hex(' '):<47}  "
        + "".join(chr(o) if 0x20 <= o < 0x7F else "." for o in held[at : at + 16])
        for at in range(0, min(len(held), most), 16)
    ]
    if len(held) > most:
        lines.append(f"… {len(held) - most:,} octets more")
    return "\n".join(lines)


def pairs_from_hex(text: str, most: int = 160) -> str:
    """The text of a binary message, which is hex, in pairs of digits; cut after `most` octets."""
    pairs = [text[at : at + 2] for at in range(0, min(len(text), 2 * most), 2)]
    more = len(text) // 2 - most
    return " ".join(pairs) + (f" … {more:,} more octets" if more > 0 else "")


def query_of(given: Mapping[str, str], **more: str) -> str:
    """Parameters as a query string, without empty ones."""
    return urlencode({name: value for name, value in (dict(given) | more).items() if value})
