"""The reference, printed from the program itself: `python -m tests.generated_docs` writes docs/reference.md anew."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from batchgen import errors
from batchgen.cli import program
from batchgen.cli.verbs import UNLISTED, VERBS
from batchgen.errors import WORST_FIRST
from batchgen.manifest.schema.printed import json_schema

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"

HEAD = """\
# Reference

<!-- printed by `python -m tests.generated_docs`; a test holds it against the program -->

Every verb, option, environment variable, exit code, error and manifest key, as the program itself has them. What they
are for is told in [the command line](cli.md) and [the manifest](manifest.md).
"""

SURROUNDINGS = (
    ("`XENODIA_API_KEY`", "the key, where the manifest names no other place for it"),
    ("`XENODIA_API_KEY_FILE`", "a file that holds the key, where `XENODIA_API_KEY` is not set"),
    ("`HTTPS_PROXY` `HTTP_PROXY` `ALL_PROXY` `NO_PROXY`", "the proxy for each scheme, and hosts that need none"),
    ("`SSL_CERT_FILE`", "certificate authorities in place of the system's"),
    (
        "`BATCHGEN_TRANSPORT`",
        "`own` (the default) or `stock`: whose HTTP carries the calls; proxies always go by stock",
    ),
    ("`AWS_…` `GOOGLE_…` `AZURE_…`", "credential and endpoint of an [object store](object-stores.md)"),
    ("`NO_COLOR` `TERM=dumb`", "no colour; with `dumb` no panel either"),
    ("`BATCHGEN_…`", "options, as named with each verb below; what is typed wins"),
)
"""Variables and what they say; tests/test_reference.py finds out whether the program reads others."""

CODES = {
    0: "everything that is asked for is there",
    1: "finished; some pictures failed for good",
    2: "the command, the manifest or the settings are wrong; nothing was sent",
    3: "finished; some payments are in doubt",
    4: "stopped; a person must act",
    5: "the journal is not usable",
    70: "a mistake in batchgen itself; the journal stands",
    75: "not finished, nothing is wrong; run again later",
    130: "ended by SIGINT; run again",
    143: "ended by SIGTERM or SIGHUP; run again",
}


PLAIN = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "`true` `false`"}


def page() -> str:
    """The whole page."""
    parts = [HEAD, *_verbs(), *_surroundings(), *_codes(), *_errors(), *_keys()]
    return "\n".join(parts)


def verbs() -> dict[str, click.Command]:
    """Every verb that is there, by name, in the order of `--help`."""
    context = click.Context(program)
    found = {name: program.get_command(context, name) for name in (*program.list_commands(context), *UNLISTED)}
    return {name: command for name, command in found.items() if command is not None}


def options(command: click.Command) -> list[click.Option]:
    """The options of a verb that are there."""
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def _verbs() -> Iterator[str]:
    yield "## Verbs\n"
    for name, command in verbs().items():
        yield f"### batchgen {name}\n"
        summary = {**VERBS, **UNLISTED}[name]
        yield f"{_cell(summary)[0].upper()}{_cell(summary)[1:]}.\n"
        yield f"```text\nbatchgen {name} {' '.join(command.collect_usage_pieces(click.Context(command)))}\n```\n"
        yield from _table(("option", "in the environment", "meaning"), (_option(each) for each in options(command)))


def _option(option: click.Option) -> tuple[str, str, str]:
    takes = "" if option.is_flag else " " + (option.metavar or option.type.name.upper())
    if isinstance(option.type, click.Choice) and not option.metavar:
        takes = " " + "|".join(map(str, option.type.choices))
    names = "`, `".join((*option.opts, *option.secondary_opts))
    default = f" Left out: `{option.default}`." if option.show_default and option.default not in {None, False} else ""
    return f"`{names}{takes}`", variable(option), f"{option.help}{default}"


def variable(option: click.Option) -> str:
    """The environment variable that says an option, empty when none does."""
    if isinstance(option.envvar, str):
        return f"`{option.envvar}`"
    return f"`BATCHGEN_{option.name.upper()}`" if option.allow_from_autoenv and option.name else ""


def _surroundings() -> Iterator[str]:
    yield "## Environment\n"
    yield from _table(("variable", "says"), SURROUNDINGS)


def _codes() -> Iterator[str]:
    yield "## Exit codes\n"
    rows = ((str(code), CODES[code], ", ".join(f"`{each}`" for each in carrying(code))) for code in sorted(CODES))
    yield from _table(("code", "means", "errors that end so"), rows)
    yield f"When several apply, the first of {', '.join(map(str, WORST_FIRST))} is the one.\n"


def every_error() -> list[type[errors.BatchgenError]]:
    """All error classes, in the order in which they are declared."""
    return [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.BatchgenError)]


def carrying(code: int) -> list[str]:
    """The errors that end with a code."""
    return [each.__name__ for each in every_error() if code in _exit_codes(each)]


def _exit_codes(each: type[errors.BatchgenError]) -> set[int]:
    if each is errors.NoHeadroom:
        return {errors.NoHeadroom(cap=cap).exit_code for cap in ("batch", "day", "run", "pictures", "resent")}
    return {each.exit_code}


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "All are `BatchgenError`; in Python each has an `exit_code`.\n"
    rows = (
        (f"`{each.__name__}`", f"`{each.__bases__[0].__name__}`", _said(each), _all(_exit_codes(each)))
        for each in every_error()
    )
    yield from _table(("error", "is a", "says", "code"), rows)


def _said(each: type[errors.BatchgenError]) -> str:
    return " ".join((each.__doc__ or "").partition("\n\n")[0].split())


def _all(codes: set[int]) -> str:
    return ", ".join(map(str, sorted(codes)))


def _keys() -> Iterator[str]:
    schema = json_schema()
    yield "## Manifest keys\n"
    yield "What each is for, with examples and defaults, is told in [the manifest](manifest.md).\n"
    yield "### The manifest itself\n"
    yield from _table(("key", "is", "takes"), _properties(schema))
    for name, table in schema["$defs"].items():
        if table.get("properties"):
            yield f"### {name}\n"
            yield f"{table.get('description', '').rstrip('.')}.\n"
            yield from _table(("key", "is", "takes"), _properties(table))


def _properties(table: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    required = set(table.get("required", ()))
    for name, each in table["properties"].items():
        told = each.get("description", "").rstrip(".") + (" (required)" if name in required else "")
        yield f"`{name}`", told, _takes(each)


def _takes(each: dict[str, Any]) -> str:
    """What a value may be, in a few words."""
    match each:
        case {"$ref": str(name)}:
            return _link(name.rsplit("/", 1)[-1])
        case {"const": value}:
            return f"`{json.dumps(value) if isinstance(value, bool) else value}`"
        case {"enum": values}:
            return " ".join(f"`{value}`" for value in values)
        case {"oneOf": choices} | {"anyOf": choices}:
            found = dict.fromkeys(_takes(choice) for choice in choices if choice.get("type") != "null")
            return ", ".join(filter(None, found))
        case {"type": "array", **rest}:
            items = rest.get("items")
            inside = _takes(items) if isinstance(items, dict) else ""
            return f"a list of {'mappings' if inside.startswith('by name') else inside}" if inside else "a list"
        case {"type": "object", "patternProperties": dict(named)}:
            return f"by name: {' '.join(filter(None, map(_takes, named.values())))}"
        case {"type": "object", "additionalProperties": dict(inner)}:
            return f"by name: {_takes(inner)}"
        case {"type": "string" | "integer" | "number" | "boolean" as kind}:
            return PLAIN[kind]
    return "a mapping" if each.get("type") == "object" else ""


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    lines = [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    if lines:
        yield "\n".join((f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines)) + "\n"


def _cell(text: str) -> str:
    """Text that stays within its cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page().rstrip() + "\n", encoding="utf-8")
