"""Read XML from outside: expat without DTDs, with limits on size, depth and time.

expat reads octet by octet in linear time and keeps no tree. Entities and external references exist
only if a DOCTYPE declares them, and a DOCTYPE stops the reading. Prefixes are removed and not
looked up: the element names identify a callback, whatever their namespace is.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from pipeline.records import Reason, Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_OCTETS: Final = 256 * 1024
MAX_DEPTH: Final = 16

#: Encodings with several octets per character that Python reads. Of such encodings, expat reads
#: only UTF-8 and UTF-16.
_OF_SEVERAL_OCTETS: Final = frozenset(
    {
        *("big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jp", "euc_kr"),
        *("gb18030", "gb2312", "gbk", "shift_jis"),
    }
)


class NotWellFormed(Rejected, frozen=True):
    """The octets are not well-formed XML. XML refused for another reason is a plain `Rejected`."""


class _Refused(Exception):
    """The document may be XML, but we do not accept it."""


class _Fields:
    """Collects the children of the container: the name in lower case, and the characters inside.

    A document has at most one container.
    """

    def __init__(self, containers: frozenset[str]) -> None:
        self._containers = containers
        self._depth = 0
        self._inside = 0  # the depth of the container's children; 0 outside the container
        self._name = ""
        self._pieces: list[str] = []
        self.found: dict[str, str] | None = None

    def start(self, name: str, _: object) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _Refused(f"more than {MAX_DEPTH} elements in one another")
        if self._inside:
            if self._depth == self._inside:
                self._name, self._pieces = _local(name), []
        elif _local(name) in self._containers:
            if self.found is not None:
                raise _Refused("more than one callback in one document")
            self.found = {}
            self._inside = self._depth + 1

    def end(self, _: str) -> None:
        if self._depth == self._inside and self.found is not None:
            value = "".join(self._pieces)
            if value or self._name not in self.found:
                self.found[self._name] = value
            self._name = ""
        elif self._depth == self._inside - 1:
            self._inside = 0
        self._depth -= 1

    def characters(self, piece: str) -> None:
        if self._name:
            self._pieces.append(piece)


def fields_from_xml(
    octets: bytes, *, containers: frozenset[str]
) -> Mapping[str, str] | Rejected | None:
    """The characters of each child of the container; None when the document has no container.

    Names are in lower case, without their prefix. If an element comes twice, the last one counts,
    but an empty one never replaces another.
    """
    if len(octets) > MAX_OCTETS:
        return Rejected(Reason.NOT_XML, f"the XML is longer than {MAX_OCTETS} octets")
    fields = _Fields(containers)
    try:
        _read(octets, fields)
    except _Refused as error:
        return Rejected(Reason.NOT_XML, f"not taken as XML: {error}")
    except expat.ExpatError as error:
        return NotWellFormed(Reason.NOT_XML, f"not taken as XML: {error}")
    return fields.found


def _read(octets: bytes, fields: _Fields) -> None:
    declared: list[str | None] = []
    parser = _parser(fields)
    parser.XmlDeclHandler = lambda _version, encoding, _standalone: declared.append(encoding)
    try:
        parser.Parse(octets, True)
    except (LookupError, ValueError):  # expat cannot read the encoding; no element was read yet
        _parser(fields, encoding="utf-8").Parse(_utf_8_from(octets, *declared), True)


def _parser(fields: _Fields, *, encoding: str | None = None) -> expat.XMLParserType:
    """A parser that fills `fields`. `encoding` overrides the declared encoding of the document."""
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = fields.start
    parser.EndElementHandler = fields.end
    parser.CharacterDataHandler = fields.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _utf_8_from(octets: bytes, encoding: str | None = None) -> bytes:
    try:
        codec = codecs.lookup(encoding or "")
        if codec.name not in _OF_SEVERAL_OCTETS:
            raise LookupError
        return octets.decode(codec.name).encode()
    except (LookupError, ValueError):
        raise _Refused("its encoding is not known, or its octets are not in it") from None


def _refuse_doctype(*_: object) -> None:
    raise _Refused("it has a DOCTYPE")


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()
