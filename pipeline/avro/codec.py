"""Writers and readers of Avro's binary encoding, made once per schema (Avro 1.12).

fastavro goes by way of a dict and a walk over the schema, some 15 us a record each way; here each
schema becomes one Python function that takes or builds the record itself. tests/contract holds
fastavro against them, octet for octet. Only what our schemas use is known: string, bytes, int,
long, boolean, timestamp-micros, arrays, records, and unions of null and one other. These are the
reference; `native.c`, where it is compiled, does the same in C (deploy/decisions/0077).

The source given to `exec` comes from the templates here and the schema files of this checkout; the
only words of a schema that enter it are names of fields, checked to be Avro names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.avro import octets as avro_octets

Writer = Callable[[Any], bytes]
Reader = Callable[[bytes, int], tuple[Any, int]]  # (octets, position) -> (value, next position)
Program = tuple[str, type | None, tuple[tuple[str, Any], ...]]

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # "Names"

# Expressions, separated by a semicolon, whose octets one after the other encode {value}.
_SIZE: Final = "LAST[n << 1] if (n := len({value})) < 8192 else octets_from_int(n)"
WRITE: Final = {
    "string": _SIZE.format(value="s := {value}.encode()") + "; s",
    "bytes": _SIZE.format(value="s := {value}") + "; s",
    "int": "LAST[n << 1] if 0 <= (n := {value}) < 8192 else octets_from_int(n)",
    "boolean": r"b'\1' if {value} else b'\0'",
    "time": "octets_from_time({value})",
    "optional": r"b'\0' if (v := {value}) is None else b'\2' + {inner}(v)",  # "Unions"
    "array": r"(LAST[n << 1] if (n := len(v)) < 8192 else octets_from_int(n))"
    r" + b''.join(map({inner}, v)) + b'\0'"
    r" if (v := {value}) else b'\0'",  # one block, then one of none ("Arrays")
    "record": "{inner}({value})",
}
# Statements that read one value at `p` of the octets `o` into {target} and move `p` behind it.
_READ_OCTETS: Final = """
    n = o[p]; p += 1
    if n & 129: n, p = length_from_octets(o, p - 1)
    else: n >>= 1
    e = p + n; {target} = o[p:e]; p = e
"""
READ: Final = {
    "string": _READ_OCTETS.replace("o[p:e]", "o[p:e].decode()"),
    "bytes": _READ_OCTETS,
    "int": """
    n = o[p]
    if n & 129: {target}, p = int_from_octets(o, p)
    else: {target} = n >> 1; p += 1
""",
    "boolean": """
    n = o[p]; p += 1
    if n > 1: raise ValueError('a boolean that is neither 0 nor 1')
    {target} = n == 1
""",
    "time": "    {target}, p = time_from_octets(o, p)\n",
    "optional": """
    n = o[p]; p += 1
    if n == 0: {target} = None
    elif n == 2: {target}, p = {inner}(o, p)
    else: raise ValueError('no such branch of the union')
""",
    # A negative count is followed by the size of the block ("Arrays").
    "array": """
    {target} = []
    while o[p]:
        n, p = int_from_octets(o, p)
        if n < 0: n = -n; e, p = length_from_octets(o, p)
        elif n == 0: break
        for i in range(n): v, p = {inner}(o, p); {target}.append(v)
    else: p += 1
""",
    "record": "    {target}, p = {inner}(o, p)\n",
}


class UnknownSchema(ValueError):
    """The schema has what no writer and reader is known for; the words name it."""


def make_writer(schema: Any, kinds: Mapping[str, type], *, prefix: bytes = b"") -> Writer:
    """`value -> prefix + its octets`; `kinds` has the class of every record's name."""
    names: dict[str, Any] = {"prefix": prefix}
    items = ["prefix"] if prefix else []
    for path, part in _parts(schema):
        inner = _inner(part)
        if inner is not None:
            names[f"inner_{len(names)}"] = make_writer(inner, kinds)
        code = WRITE[_case(part)].format(value=f"value{path}", inner=list(names)[-1])
        items += [f"({expression})" for expression in code.split("; ")]
    result = f"b''.join(({', '.join(items)},))" if len(items) > 2 else " + ".join(items)
    return _function(f"def made(value):\n    return {result}\n", names)  # type: ignore[no-any-return]


def make_reader(schema: Any, kinds: Mapping[str, type]) -> Reader:
    """`(octets, position) -> (value, next position)`; fields the schema lacks take their default.

    A length beyond the end gives a position beyond the end, which the caller must compare; nothing
    is allocated for it. Bad octets raise `ValueError`, `IndexError` or `OverflowError`.
    """
    names: dict[str, Any] = {"kind": None}
    lines, given = "", []
    for path, part in _parts(schema):
        inner = _inner(part)
        if inner is not None:
            names[f"inner_{len(names)}"] = make_reader(inner, kinds)
        target = f"f{path}".replace(".", "_")
        lines += READ[_case(part)].format(target=target, inner=list(names)[-1])
        given.append(f"{path[1:]}={target}")
    result = "f"
    if _case(schema) == "record":
        names["kind"] = kinds[schema["name"]]
        result = f"kind({', '.join(given)})"
    return _function(f"def made(o, p):\n{lines}    return {result}, p\n", names)  # type: ignore[no-any-return]


def program(schema: Any, kinds: Mapping[str, type]) -> Program:
    """The schema as `pipeline/avro/native.c` takes it: case, class or None, named parts."""
    case, inner = _case(schema), _inner(schema)
    if case == "record":
        parts = tuple((path[1:], program(part, kinds)) for path, part in _parts(schema))
        return case, kinds[schema["name"]], parts
    return case, None, () if inner is None else (("", program(inner, kinds)),)


def _parts(schema: Any) -> list[tuple[str, Any]]:
    """The fields of a record with their path, `.name`; of anything else itself, with none."""
    if _case(schema) != "record":
        return [("", schema)]
    fields = [(field["name"], field["type"]) for field in schema["fields"]]
    if not fields:
        raise UnknownSchema("a record of no fields: an array of them could go on for ever")
    for name, _ in fields:
        if not NAME.fullmatch(name):
            raise UnknownSchema(f"{name!r} is no Avro name")
    return [(f".{name}", part) for name, part in fields]


def _case(schema: Any) -> str:
    """The entry of `WRITE` and `READ` for a schema."""
    match schema:
        case "long":
            return "int"  # one encoding for both ("Primitive Types")
        case "string" | "bytes" | "int" | "boolean":
            return str(schema)
        case {"type": "long", "logicalType": "timestamp-micros"}:
            return "time"
        case {"type": "array" | "record" as case}:
            return str(case)
        case ["null", _]:
            return "optional"
    raise UnknownSchema(f"no writer or reader for {schema}")


def _inner(schema: Any) -> Any:
    """The schema inside an array or union, a nested record itself, or None."""
    match schema:
        case {"type": "array", "items": inner} | ["null", inner]:
            return inner
        case {"type": "record"}:
            return schema
    return None


def _function(source: str, names: dict[str, Any]) -> Any:
    """The function `made` of `source`, which sees `names` and `avro_octets`."""
    names |= vars(avro_octets)
    exec(compile(source, "<made by pipeline.avro.codec>", "exec"), names)  # noqa: S102  see above
    return names["made"]
