"""`batchgen schema`."""

import json

from tests.cli.desk import typed


def test_it_prints_the_language() -> None:
    """A JSON Schema 2020-12 on standard output, and nothing else; in one line for programs."""
    said = typed("schema")
    schema = json.loads(said.stdout)
    assert said.exit_code == 0
    assert said.stderr == ""
    assert schema["$schema"].endswith("2020-12/schema")
    assert {"rows", "matrix", "budget"} <= set(schema["properties"])
    assert json.loads(typed("schema", "--json").stdout) == schema
