"""What YAML's own complaints mean for somebody who is writing a prompt."""

import re
from typing import Final

import yaml

from batchgen.manifest.problems import Problem
from batchgen.manifest.source import Source

_KEY: Final = re.compile(
    r"^(?P<head>\s*(?:-\s+)*(?:\"[^\"]*\"|'[^']*'|[^\s:#\"'{}\[\],&*!|>%@`][^:#]*?)\s*:\s+)(?P<value>\S.*)$"
)
_HINT_WIDTH: Final = 76
_QUOTE: Final = "put the text in quotes, or under `|` on lines of its own"

_SIMPLE: Final = {
    "found unexpected end of stream": "this is opened and never closed",
    "found unexpected document indicator": "this is opened and never closed",
    "found unknown escape character": "double quotes know no such escape; double the backslash, or use single quotes",
    "found invalid Unicode character escape code": "this is half of a surrogate pair, or no character at all",
    "did not find expected '-' indicator": "a list goes on with `- ` here, or this line is indented too little",
    "did not find expected comment or line break": "after `|` or `>` the text begins on the next line, indented",
    "did not find expected alphabetic or numeric character": "a text that begins with * or & needs quotes",
    "found unexpected ':'": "after `:` stands a space; a key that begins or holds it needs quotes",
    "could not find expected ':'": "this line is no `key: value`; is the text above meant to go on? Put it under `|`",
    "found a tab character that violates indentation": "YAML is indented with spaces; this is a tab",
}
_AT_CONTEXT: Final = frozenset(
    f"while scanning {what}" for what in ("a quoted scalar", "an alias", "an anchor", "a simple key")
)


def explain(error: yaml.MarkedYAMLError, source: Source) -> Problem:
    """The problem that a parser's error stands for, with a corrected line where there is one."""
    at = _index(error)
    match error.problem or "":
        case "mapping values are not allowed in this context":
            return _second_colon(source, at)
        case "found character that cannot start any token":
            return _bad_start(source, at)
        case "did not find expected key" | "did not find expected ',' or '}'" | "did not find expected ',' or ']'":
            return _broken_off(error, source, at)
        case "could not find expected ':'" if cut := _cut_by_comment(source, at):
            return cut
        case problem:
            tag = "tag" in (error.context or "") or "tag" in problem
            message = (
                "a text that begins with ! needs quotes; a manifest holds no tags" if tag else _SIMPLE.get(problem)
            )
            return source.problem(at, message or f"this is not YAML: {problem}")


def quoted(line: str) -> str:
    """A line `key: value` with its value in quotes; advice in words when that would be too long."""
    found = _KEY.match(line)
    if found is None:
        return _QUOTE
    value = found["value"].rstrip()
    single = "'" + value.replace("'", "''") + "'"
    better = f"{found['head'].strip()} " + (single if '"' in value or "\\" in value else f'"{value}"')
    return better if len(better) <= _HINT_WIDTH else _QUOTE


def _index(error: yaml.MarkedYAMLError) -> int:
    mark = error.context_mark if error.context in _AT_CONTEXT else error.problem_mark
    return int(mark.index) if mark else 0


def _second_colon(source: Source, at: int) -> Problem:
    line_number, column = source.place(at)
    line = source.line(line_number)
    found = _KEY.match(line)
    if found and column > found.start("value") and found["value"][0] not in "\"'|>":
        return source.problem(at, "a plain value holds no `: `; it needs quotes", hint=quoted(line))
    message = "this key is indented as if it went on from the value above"
    return source.problem(at, message, hint="align it with its neighbours, or put the text above under `|`")


def _bad_start(source: Source, at: int) -> Problem:
    char = source.text[at : at + 1]
    if char == "\t":
        return source.problem(at, "YAML is indented with spaces; this is a tab")
    line = source.line(source.place(at)[0])
    return source.problem(at, f"a value that begins with {char} needs quotes", hint=quoted(line))


def _broken_off(error: yaml.MarkedYAMLError, source: Source, at: int) -> Problem:
    number, column = source.place(at)
    line = source.line(number)
    before = line[: column - 1].rstrip()
    value = _KEY.match(line)
    if value and value["value"].startswith("{{"):
        start = at - (column - 1) + value.start("value")
        return source.problem(start, "a value that begins with `{{` needs quotes", hint=quoted(line))
    if before.endswith(('"', "'")) and source.text.startswith(":", at):
        return source.problem(at, "a key has at most 1,024 characters, all in one line")
    if before.endswith(('"', "'")):
        return source.problem(at, "text stands after the closing quote", hint=quoted(line))
    if source.text.startswith(":", at) and ":" in before:
        return source.problem(at, "a plain value holds no `: `; it needs quotes", hint=_QUOTE)
    if error.context != "while parsing a block mapping" and error.context_mark:
        opened = error.context_mark.index
        message = f"a comma is missing here, or the `{source.text[opened]}` on {source.named(opened)} is never closed"
        return source.problem(at, message)
    if before.endswith(("}", "]")):
        return source.problem(at, "text stands after the closing bracket", hint=quoted(line))
    return _cut_by_comment(source, at) or source.problem(
        at,
        "no key is expected at this indentation",
        hint="align it with its neighbours; text under `|` is indented deeper",
    )


def _cut_by_comment(source: Source, at: int) -> Problem | None:
    """A plain text of several lines ends at ` #`, and its next line then makes no sense."""
    for number in range(source.place(at)[0], max(0, source.place(at)[0] - 3), -1):
        line = source.line(number)
        if found := re.search(r"(?<=\S)\s+#", line):
            index = source.index(number) + found.end() - 1
            return source.problem(index, "a plain text ends at ` #`; what follows is a comment", hint=_QUOTE)
    return None
