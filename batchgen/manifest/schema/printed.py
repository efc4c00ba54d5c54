"""The language as a JSON Schema for editors: what the types say, closed where they are closed, without noise."""

import json
from collections.abc import Iterator
from typing import Any, Final

from batchgen.manifest.schema import ManifestFile

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """A JSON Schema 2020-12 of a manifest, with descriptions and examples; it accepts what the loader accepts."""
    found = ManifestFile.model_json_schema(by_alias=True)
    for table in _tables(found):
        if "properties" in table:
            for each in table["properties"].values():
                each.pop("title", None)
        if "patternProperties" in table:
            table.setdefault("additionalProperties", False)
    definitions = found.pop("$defs")
    return {"$schema": DIALECT, **found, "$defs": definitions}


def as_text() -> str:
    """The same, as the file holds it that stands beside the package's code."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tables(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside, itself first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _tables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _tables(inner)
