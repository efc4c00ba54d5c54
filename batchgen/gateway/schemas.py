"""JSON schemas of what goes over the wire: answers from the types of the wire, creates from the models' own rules."""

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Final, Literal, NotRequired, TypeAlias, get_args, get_origin, get_type_hints, is_typeddict

from batchgen.api import wire
from batchgen.gateway.bodies import FLAGS, LONGEST_URL, URL
from batchgen.gateway.models import CHANNEL, MODELS, RESOLUTIONS, Model, Shape, problem

Schema: TypeAlias = dict[str, Any]

ANSWERS: Final = (wire.TaskEnvelope, wire.TaskResource, wire.ImagesAnswer, wire.ModelList, wire.ErrorBody, wire.Balance)
_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
}
_URL: Final[Schema] = {"type": "string", "pattern": f"^(?:{URL})$", "maxLength": LONGEST_URL}


def components() -> dict[str, Schema]:
    """The schemas of all answers, by name."""
    found: dict[str, Schema] = {}
    for each in ANSWERS:
        _typed(each, found)
    found["TaskResource"]["properties"]["result"] = {
        "anyOf": [{"type": "object", "maxProperties": 0}, _reference("ImagesAnswer")],
        "description": "Empty until the task has succeeded.",
    }
    return found


def create_json() -> Schema:
    """A create as JSON, with one alternative for each model and the shapes that it allows together."""
    return {
        "type": "object",
        "required": ["model", "prompt"],
        "properties": {
            "prompt": {"type": "string", "minLength": 1, "maxLength": wire.PROMPT_CHARACTERS},
            "n": {"enum": [1], "default": 1},
            "async": {"type": "boolean", "default": False},
            "response_format": {"enum": ["url"], "default": "url"},
            "channel_id": {"enum": [None, CHANNEL]},
            "image_input": {"type": "array", "items": _URL},
        },
        "anyOf": [_variant(*group) for group in _groups()],
    }


def create_form() -> Schema:
    """A create as a form: the same fields as text, and references as files; a form knows no null."""
    whole = create_json()
    fields: dict[str, Schema] = whole["properties"]
    urls = fields.pop("image_input")
    files = {"type": "array", "items": {"type": "string", "format": "binary"}}
    return whole | {
        "description": "All references of a form together are at most as many as the model takes.",
        "properties": {
            **{name: _as_text(each) for name, each in fields.items()},
            **dict.fromkeys(wire.URL_FIELDS, urls),
            **dict.fromkeys(wire.FILE_FIELDS, files),
        },
        "anyOf": [_form_variant(*group) for group in _groups()],
    }


def _typed(kind: Any, found: dict[str, Schema]) -> Schema:
    if is_typeddict(kind):
        if kind.__name__ not in found:
            found[kind.__name__] = {}
            found[kind.__name__] = _record(kind, found)
        return _reference(kind.__name__)
    if kind in _PLAIN:
        return _PLAIN[kind]
    arguments = get_args(kind)
    match get_origin(kind):
        case origin if origin is Literal:
            return {"enum": list(arguments)}
        case origin if origin is list:
            return {"type": "array", "items": _typed(arguments[0], found)}
        case origin if origin is UnionType:
            return {"anyOf": [_typed(each, found) for each in arguments]}
        case _:
            return {"type": "object"}


def _record(kind: Any, found: dict[str, Schema]) -> Schema:
    hints = get_type_hints(kind, include_extras=True)
    bare = {name: get_args(each)[0] if get_origin(each) is NotRequired else each for name, each in hints.items()}
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip(),
        "properties": {name: _typed(each, found) for name, each in bare.items()},
        "required": sorted(kind.__required_keys__),
        "additionalProperties": False,
    }


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _groups() -> list[tuple[Model, list[str | None], list[str | None]]]:
    """Each model with ratios that allow the same resolutions; None is a field that is left out."""
    groups: list[tuple[Model, list[str | None], list[str | None]]] = []
    for model in MODELS.values():
        by_allowed: dict[tuple[str | None, ...], list[str | None]] = {}
        for ratio in (None, *model.aspect_ratios):
            allowed = [each for each in (None, *RESOLUTIONS) if problem(model, Shape(ratio, each, None), 0) is None]
            by_allowed.setdefault(tuple(allowed), []).append(ratio)
        groups += [(model, ratios, list(allowed)) for allowed, ratios in by_allowed.items()]
    return groups


def _variant(model: Model, ratios: list[str | None], allowed: list[str | None]) -> Schema:
    return {
        "title": model.id,
        "required": [] if None in ratios else ["aspect_ratio"],
        "properties": {
            "model": {"enum": [model.id]},
            "aspect_ratio": {"enum": ratios},
            "resolution": {"enum": allowed},
            "output_format": {"enum": [None, *model.formats]},
            "image_input": {"maxItems": model.references},
        },
    }


def _form_variant(model: Model, ratios: list[str | None], allowed: list[str | None]) -> Schema:
    variant = _variant(model, ratios, allowed)
    fields: dict[str, Schema] = variant["properties"]
    most = fields.pop("image_input")
    references = dict.fromkeys((*wire.URL_FIELDS, *wire.FILE_FIELDS), most)
    return variant | {"properties": {name: _as_text(each) for name, each in fields.items()} | references}


def _as_text(field: Schema) -> Schema:
    """A field as a text part of a form."""
    if field.get("type") == "boolean":
        return {"enum": sorted(FLAGS)}
    if "enum" in field:
        return {"enum": [str(value) for value in field["enum"] if value is not None]}
    return field
