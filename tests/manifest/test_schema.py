"""The language as a JSON Schema."""

from typing import Any

from batchgen.manifest.schema import ManifestFile


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
