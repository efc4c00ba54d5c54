"""What the schema found, in sentences at their places."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from batchgen.manifest import schema
from batchgen.manifest.nodes import Node, Scalar, Table, find
from batchgen.manifest.owners import unknown
from batchgen.manifest.problems import Problem
from batchgen.manifest.scalars import kind
from batchgen.manifest.source import Source

Path = tuple[int | str, ...]

_WANTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


def problems(error: ValidationError, tree: Node, source: Source) -> list[Problem]:
    """All that the schema found, each at the key or value that is to be mended."""
    speaker = _Speaker(tree, source)
    return [speaker.problem(each) for each in error.errors(include_url=False)]


def shown(path: Sequence[int | str]) -> str:
    """A path as people write it: `jobs[3].prompt`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


class _Speaker:
    def __init__(self, tree: Node, source: Source) -> None:
        self._tree = tree
        self._source = source

    def problem(self, error: ErrorDetails) -> Problem:
        path = tuple(step for step in error["loc"] if not str(step).startswith(schema.TAG))
        node = find(self._tree, path)
        if node is None and path[-1:] == ("[key]",):
            return self._at_key(path[:-1], _given(error))
        if isinstance(node, Scalar) and self._is_cut_by_comma(path, node):
            return self._comma(path)
        match error["type"]:
            case "missing":
                return self._missing(path)
            case "extra_forbidden":
                return self._at_key(path, *unknown(path))
            case "value_error" if path[-1:] == ("api_key",):
                return self._at_value(path, _given(error), secret=True)
            case "value_error":
                return self._at_value(path, _given(error))
            case _:
                return self._at_value(path, *self._wrong(error, path, node))

    def _missing(self, path: Path) -> Problem:
        owner, name = path[:-1], str(path[-1])
        whose = f"`{shown(owner)}`" if owner else "the manifest"
        hint = {"batchgen": f"batchgen: {schema.LANGUAGE}", "file": "{file: PATH}"}.get(name, f"{name}: …")
        node = find(self._tree, owner)
        message = f"{whose} has no `{name}`"
        return self._source.problem(node.start if node else 0, message, path=shown(path), hint=hint)

    def _wrong(self, error: ErrorDetails, path: Path, node: Node | None) -> tuple[str, str]:
        name = f"`{path[-1]}`" if path and isinstance(path[-1], str) else "this"
        limits: dict[str, Any] = error.get("ctx", {})
        match error["type"]:
            case "model_type" if not path:
                return f"a manifest is a mapping, not {kind(error['input'])}", "begin with batchgen: 1"
            case "string_too_short":
                return f"{name} is empty", ""
            case "too_short":
                return f"{name} is empty; give it an entry, or leave it out", ""
            case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
                bound = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
                said = " and ".join(f"{bound[key]} {value:,.15g}" for key, value in limits.items())
                return f"{name} is {said}", ""
            case "literal_error":
                return f"{name} is {limits['expected']}", ""
            case wanted if wanted in _WANTED:
                return self._other_kind(name, _WANTED[wanted], node)
            case _:
                return f"{name}: {error['msg']}", ""

    def _other_kind(self, name: str, wanted: str, node: Node | None) -> tuple[str, str]:
        given = kind(node.value) if isinstance(node, Scalar) else "a mapping" if isinstance(node, Table) else "a list"
        hint = ""
        if wanted == "text" and isinstance(node, Scalar) and node.value is not None:
            hint = f'put it in quotes: "{node.text}"'
        elif wanted == "a list" and isinstance(node, Scalar) and node.text:
            hint = f"[{node.text}]"
        return f"{name} is {wanted}, but this is {given}", hint

    def _is_cut_by_comma(self, path: Path, node: Scalar) -> bool:
        """An entry in braces without a colon is what remains of a text after its comma."""
        owner = find(self._tree, path[:-1])
        bare = node.plain and node.start == node.end
        return isinstance(owner, Table) and owner.flow and bare and ":" not in self._since_key(owner, path[-1], node)

    def _since_key(self, owner: Table, name: int | str, node: Scalar) -> str:
        return self._source.text[owner.entries[str(name)][0].end : node.end + 1].rstrip("}")

    def _comma(self, path: Path) -> Problem:
        owner = find(self._tree, path[:-1])
        before = _before(owner, str(path[-1])) if isinstance(owner, Table) else None
        hint = f'{before[0]}: "{before[1]}, {path[-1]}"' if before and len(before[1]) < 50 else "put the text in quotes"
        return self._at_key(path, "inside { } a comma ends a plain text; it needs quotes", hint)

    def _at_key(self, path: Path, message: str, hint: str = "") -> Problem:
        owner = find(self._tree, path[:-1])
        found = owner.entries.get(str(path[-1])) if isinstance(owner, Table) else None
        index = found[0].start if found else owner.start if owner else 0
        return self._source.problem(index, message, path=shown(path), hint=hint)

    def _at_value(self, path: Path, message: str, hint: str = "", *, secret: bool = False) -> Problem:
        node = find(self._tree, path)
        if isinstance(node, Scalar) and node.start == node.end and path:
            return self._at_key(path, message, hint)
        return self._source.problem(node.start if node else 0, message, path=shown(path), hint=hint, secret=secret)


def _before(owner: Table, name: str) -> tuple[str, str] | None:
    names = list(owner.entries)
    index = names.index(name) - 1
    value = owner.entries[names[index]][1] if index >= 0 else None
    return (names[index], value.text) if isinstance(value, Scalar) else None


def _given(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("error", error["msg"]))


def cut_prompts(tree: Node, source: Source) -> Iterator[Problem]:
    """Prompts in one plain line that YAML cut at ` #`, as if the rest were a comment."""
    for path, node in _prompts(tree):
        if not (isinstance(node, Scalar) and node.plain and node.text):
            continue
        line_number, column = source.place(node.end)
        rest = source.line(line_number)[column - 1 :]
        if rest.lstrip().startswith("#") and rest[:1].isspace():
            index = node.end + len(rest) - len(rest.lstrip())
            message = "a plain prompt ends at ` #`; what follows is a comment"
            hint = "quote the prompt, or put the comment on a line of its own"
            yield source.problem(index, message, path=shown(path), hint=hint)


def _prompts(tree: Node) -> Iterator[tuple[Path, Node | None]]:
    yield ("defaults", "prompt"), find(tree, ("defaults", "prompt"))
    match find(tree, ("jobs",)):
        case None | Scalar() | Table():
            pass
        case jobs:
            yield from ((("jobs", i, "prompt"), find(job, ("prompt",))) for i, job in enumerate(jobs.items))
    prompts = find(tree, ("prompts",))
    if isinstance(prompts, Table):
        yield from ((("prompts", name), value) for name, (_, value) in prompts.entries.items())
