"""Which table of the language a key belongs to, and what to say of a key that none knows."""

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from batchgen.manifest import schema
from batchgen.manifest.problems import one_edit_away

Path = tuple[int | str, ...]

_ELSEWHERE: Final = {
    "n": "every job is one picture; for several write `takes`",
    "async": "batchgen sets it itself",
    "response_format": "batchgen sets it itself",
    "image_input": "write `references`",
    "image": "write `references`",
    "images": "write `references`",
    "size": "write `aspect_ratio` and `resolution`",
    "prompt": "prompts stand under `prompts`",
    "csv": "a table stands under `rows`: {from: PATH}",
    "table": "a table stands under `rows`: {from: PATH}",
    "delimiter": "write `separator`",
    "if": "write `when`",
    "glob": "write `path`; it may be a pattern",
    "max_cost": "write `max_usd`",
}
_TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "provider": schema.Server,
    "output": schema.OutputTable,
    "limits": schema.LimitsTable,
    "failures": schema.FailuresTable,
    "rows": schema.RowsTable,
    "budget": schema.BudgetTable,
    "defaults": schema.Defaults,
}


def unknown(path: Path) -> tuple[str, str]:
    """Message and hint for a key that nobody knows."""
    name = str(path[-1])
    whose, owner = _owner(path[:-1])
    known = sorted(names(owner))
    message = f"`{name}` is no key of {whose}"
    if near := one_edit_away(name, known):
        return message, f"did you mean `{near}`?"
    if name in _ELSEWHERE:
        return message, _ELSEWHERE[name]
    return message, "known here: " + ", ".join(known)


def names(owner: type[BaseModel]) -> list[str]:
    """The keys of a table, as they are written."""
    return [field.alias or name for name, field in owner.model_fields.items()]


def _owner(path: Path) -> tuple[str, type[BaseModel]]:
    match path:
        case ():
            return "a manifest", schema.ManifestFile
        case ("jobs", _):
            return "a job", schema.JobEntry
        case ("models", _):
            return "a model", schema.RequestFields
        case ("overrides", _):
            return "an override", schema.OverrideEntry
        case (*_, "references", _):
            return "a reference", schema.ReferenceTable
        case ("limits", "models", _):
            return "a model's limits", schema.ModelLimits
        case (str(name),):
            return f"`{name}`", _TABLES.get(name, schema.PromptFile)
        case (*_, "prompt") | ("prompts", _):
            return "a prompt", schema.PromptFile
        case _:
            return _inner(path)


_INNER: Final[Mapping[Path, type[BaseModel]]] = {
    ("limits", "expert"): schema.ExpertTable,
    ("provider", "profile"): schema.ProfileTable,
    ("rows", "on_bad_row"): schema.SkipTable,
    ("failures", "stop_at"): schema.StopTable,
    ("failures", "in_doubt"): schema.ResendTable,
}


def _inner(path: Path) -> tuple[str, type[BaseModel]]:
    whose = "a profile" if path[-1] == "profile" else f"`{'.'.join(map(str, path))}`"
    return whose, _INNER.get(path, schema.PromptFile)
