"""The language as a JSON Schema."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from batchgen.cli.schema import SCHEMA
from batchgen.manifest.nodes import plain
from batchgen.manifest.schema import ManifestFile
from batchgen.manifest.schema.printed import as_text, json_schema
from batchgen.manifest.source import Source
from batchgen.manifest.tree import parse

MANIFESTS = Path(__file__).parents[2] / "manifests"


def test_every_key_is_described() -> None:
    """The schema that is printed from these types has a sentence for each key."""
    schema = ManifestFile.model_json_schema()
    tables: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    keys = [(name, key) for table in tables for name, key in table.get("properties", {}).items()]
    described = {
        name: "description" in {**schema["$defs"].get(str(key.get("$ref"))[8:], {}), **key} for name, key in keys
    }
    assert len(described) > 50
    assert [name for name, there in described.items() if not there] == []


def test_no_key_is_unknown() -> None:
    """Every table of the schema is closed."""
    schema = ManifestFile.model_json_schema()
    tables: list[dict[str, Any]] = [schema, *schema["$defs"].values()]
    assert all(
        table["additionalProperties"] is False
        for table in tables
        if table.get("type") == "object" and "properties" in table and table["title"] != "MatrixTable"
    )


def test_the_file_is_what_the_types_say() -> None:
    """The schema that is installed, printed and pointed at by the starter manifests is made from the types."""
    assert SCHEMA.read_text(encoding="utf-8") == as_text()
    Draft202012Validator.check_schema(json_schema())


def test_every_example_is_of_its_kind() -> None:
    """Each example in the schema is accepted where it stands."""
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    keys = [key for table in tables for key in table.get("properties", {}).values() if "examples" in key]
    assert len(keys) > 25
    for key in keys:
        validator = Draft202012Validator({**key, "$defs": schema["$defs"]})
        for example in key["examples"]:
            validator.validate(example)


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yaml")), ids=lambda path: path.name)
def test_starter_manifests_point_at_the_schema(path: Path) -> None:
    """The first line of each lets an editor find the schema, and the manifest is valid by it."""
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("=")[2]).resolve() == SCHEMA.resolve()
    tree, _ = parse(Source(path.name, path.read_text(encoding="utf-8")))
    Draft202012Validator(json_schema()).validate(plain(tree))
