"""Reads a YAML file into a pydantic model; what is wrong is said with file, line, column and key."""

from collections.abc import Sequence
from typing import Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from batchgen.errors import SettingsError

_MOST_BYTES: Final = 1024 * 1024
Model = TypeVar("Model", bound=BaseModel)


def load_yaml(path: str, model: type[Model]) -> Model:
    """The file as the model.

    Raises:
        SettingsError: it cannot be read, is not YAML, or says something that the model does not take.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_MOST_BYTES)
        root = yaml.compose(text, yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} could not be read; check that it is there and is a text in UTF-8") from error
    except yaml.YAMLError as error:
        raise SettingsError(
            f"{path}{_place(getattr(error, 'problem_mark', None))}: this is not YAML; mend it"
        ) from None
    _check_twice(path, root)
    try:
        return model.model_validate(document if document is not None else {})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(each) for each in first["loc"])
        where = _place(_mark(root, first["loc"]))
        raise SettingsError(f"{path}{where}: {key}: {first['msg'].removeprefix('Value error, ')}") from None


def _mark(node: yaml.Node | None, place: Sequence[str | int]) -> yaml.Mark | None:
    """Where the value at this place stands, or the innermost one around it that is there."""
    mark = node.start_mark if node is not None else None
    for step in place:
        match node:
            case yaml.MappingNode():
                found = [(key, value) for key, value in node.value if key.value == str(step)]
                if not found:
                    return mark
                mark, node = found[0][0].start_mark, found[0][1]
            case yaml.SequenceNode() if isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                mark = node.start_mark
            case _:
                return mark
    return mark


def _check_twice(path: str, node: yaml.Node | None) -> None:
    """YAML readers let the last of two equal keys win; here that is a mistake."""
    match node:
        case yaml.SequenceNode():
            for each in node.value:
                _check_twice(path, each)
        case yaml.MappingNode():
            seen: set[str] = set()
            for key, value in node.value:
                if key.value in seen:
                    raise SettingsError(f"{path}{_place(key.start_mark)}: {key.value} stands here twice; keep one")
                seen.add(str(key.value))
                _check_twice(path, value)


def _place(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f":{mark.line + 1}:{mark.column + 1}"
