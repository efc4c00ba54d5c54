"""The journal's SQL as PostgreSQL wants it: it is written once, in SQLite's words; pure.

Both understand most of it. What differs: how parameters and temporary tables are named, the types of columns, and the
seals. PostgreSQL has no function for a seal: rows are written without one, and sealed before anybody reads.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

_PARAMETER: Final = re.compile(r"\?(\d+)?|(?<![:\w]):([a-z]\w*)")
_TYPES: Final = {"INTEGER": "BIGINT", "BLOB": "BYTEA", "REAL": "DOUBLE PRECISION"}
_TYPE: Final = re.compile(r"\b(?:INTEGER|BLOB|REAL)\b")
_WRITTEN: Final = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)(?!\.)\b")
_ONLY_SEALS: Final = re.compile(r"\s*UPDATE \w+ SET seal = NULL\s+WHERE seal IS NULL\s*")
_COUNTED: Final = re.compile(r"\s*(?:INSERT INTO|DELETE FROM)\s+(totals)\b")
"""After these a trigger counts rows, and leaves the row of that count without a seal."""

_READS: Final = re.compile(r"\s*SELECT\b")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: `unsealed` is the table in which it leaves rows without a seal, `names` its parameters.

    It has no text when all that it does is to seal. `long` says that its answer may be as long as the journal.
    """

    text: str
    names: tuple[str, ...]
    unsealed: str = ""
    reads: bool = False
    long: bool = False

    def bound(self, bindings: Sequence[Any] | Mapping[str, Any] | None) -> Mapping[str, Any]:
        """The parameters by name; those of a sequence are called by their places."""
        if isinstance(bindings, Mapping):
            return {name: bindings[name] for name in self.names}
        given = {f"p{place}": value for place, value in enumerate(bindings or (), 1)}
        return {name: given[name] for name in self.names}


@cache
def translated(sql: str) -> tuple[Statement, ...]:
    """The statements of a script."""
    return tuple(_statement(each) for each in sql.split(";") if each.strip())


def _statement(sql: str) -> Statement:
    plain = _without_seals(sql)
    unsealed = ""
    if plain != sql:
        written = _WRITTEN.match(plain)
        assert written is not None, "only what writes may seal"
        unsealed = written[1]
    elif counted := _COUNTED.match(plain):
        unsealed = counted[1]
    if _ONLY_SEALS.fullmatch(plain):
        return Statement("", (), unsealed)
    plain = re.sub(r"\btemp\.", "pg_temp.", plain)
    if plain.lstrip().startswith("CREATE TEMP TABLE"):
        plain = _TYPE.sub(lambda found: _TYPES[found[0]], plain.replace(" STRICT", ""))
    names: list[str] = []
    text = _PARAMETER.sub(lambda found: _named(found, names), plain.replace("%", "%%"))
    reads = _READS.match(text) is not None
    return Statement(text, tuple(dict.fromkeys(names)), unsealed, reads, reads and _is_long(text))


def _is_long(text: str) -> bool:
    """Whether all of a table may come, in order."""
    return re.search(r"\bORDER BY\b(?!.*\bLIMIT\b)", text, re.DOTALL) is not None


def _named(found: re.Match[str], names: list[str]) -> str:
    sequential = sum(1 for name in names) + 1
    name = found[2] or f"p{found[1] or sequential}"
    names.append(name)
    return f"%({name})s"


def _without_seals(sql: str) -> str:
    """Each `seal(…)` is NULL."""
    return "".join(_pieces(sql))


def _pieces(sql: str) -> Iterator[str]:
    rest = sql
    while found := re.search(r"\bseal\(", rest):
        yield rest[: found.start()] + "NULL"
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(rest[end], 0)
            end += 1
        rest = rest[end:]
    yield rest
