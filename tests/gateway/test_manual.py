"""The OpenAPI document tells the truth: routes, bodies and answers are as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from batchgen.api import wire
from batchgen.gateway import manual
from batchgen.gateway.app import ROUTES
from batchgen.gateway.front import NOT_PLAYED
from batchgen.gateway.models import MODELS, RESOLUTIONS, Shape, problem
from tests.gateway.house import CREATE, PNG, Painter, house
from tests.gateway.test_serve import gateway

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema | {"components": manual.document("task")["components"]})


def body(kind: str = "application/json") -> dict[str, Any]:
    post = manual.document("task")["paths"][wire.GENERATIONS]["post"]
    return dict(post["requestBody"]["content"][kind]["schema"])


def test_the_document_names_every_route() -> None:
    """Each route that is served is in the document, and nothing else is, but for what is said not to be played."""
    served = {(method.lower(), path) for path, _, method in ROUTES}
    said = {(method, path) for path, methods in manual.document("task")["paths"].items() for method in methods}
    assert served == said
    assert not {("post", path) for path in NOT_PLAYED} & said


def test_the_modes_say_how_a_create_is_answered() -> None:
    """In task mode a create is answered 202 alone; in legacy mode also with its picture, or 502."""
    for mode, more in (("task", set()), ("legacy", {"200", "502"})):
        said = set(manual.document(mode)["paths"][wire.GENERATIONS]["post"]["responses"])  # type: ignore[arg-type]
        assert said & {"200", "202", "502"} == more | {"202"}


def test_the_shapes_of_creates_are_those_of_the_models() -> None:
    """For every model, ratio and resolution the document allows exactly what the desk sells."""
    check = validator(body())
    for model in MODELS.values():
        ratios = {None, "7:5", *(ratio for each in MODELS.values() for ratio in each.aspect_ratios)}
        for ratio in ratios:
            for resolution in (None, *RESOLUTIONS, "8K"):
                for file_format in (None, "png", "jpeg"):
                    create = {
                        "model": model.id,
                        "prompt": "x",
                        "aspect_ratio": ratio,
                        "resolution": resolution,
                        "output_format": file_format,
                    }
                    sold = problem(model, Shape(ratio, resolution, file_format), 0) is None
                    assert check.is_valid(create) is sold, create
                    spare = {name: value for name, value in create.items() if value is not None}
                    assert check.is_valid(spare) is sold, spare


def test_the_number_of_references_is_that_of_the_models() -> None:
    """The document allows as many references as the model takes, in JSON and in each field of a form."""
    for kind, fields in (("application/json", ["image_input"]), ("multipart/form-data", [*wire.URL_FIELDS, "image[]"])):
        check = validator(body(kind))
        for model in MODELS.values():
            for field in fields:
                create = {"model": model.id, "prompt": "x", field: ["https://example.com/"] * model.references}
                assert check.is_valid(create)
                assert not check.is_valid(create | {field: create[field] + ["https://example.com/"]})  # type: ignore[operator]


async def test_answers_are_as_the_document_says(tmp_path: Path) -> None:
    """Task, failed task, refusal, catalogue and balance are valid against their schemas, with nothing beside them."""
    painter = Painter()
    async with house(tmp_path, painter=painter) as there:
        found = {
            "TaskEnvelope": (await there.create()).json(),
            "TaskResource": await there.bought(),
            "ModelList": (await there.client.get(wire.MODELS)).json(),
            "Balance": (await there.client.get(wire.BALANCE)).json(),
            "ErrorBody": (await there.client.get("/nowhere")).json(),
        }
        painter.failure = RuntimeError()
        failed = await there.bought()
    for name, answer in [*found.items(), ("TaskResource", failed), ("ImagesAnswer", found["TaskResource"]["result"])]:
        validator({"$ref": f"#/components/schemas/{name}"}).validate(answer)
    spoiled = found["TaskEnvelope"] | {"surprise": 1}
    assert not validator({"$ref": "#/components/schemas/TaskEnvelope"}).is_valid(spoiled)


async def test_examples_of_the_document_are_sold(tmp_path: Path) -> None:
    """What the document gives as an example works as it stands."""
    content = manual.document("task")["paths"][wire.GENERATIONS]["post"]["requestBody"]["content"]
    examples = [each["value"] for each in content["application/json"]["examples"].values()]
    assert examples
    async with house(tmp_path) as there:
        for example in examples:
            validator(body()).validate(example)
            assert (await there.create(example)).status_code == 202


REFERENCES = [
    ("https://example.com/a.png", True),
    ("HTTP://EXAMPLE.com:8080/a?b=c#d", True),
    ("https://b\u00fccher.example/", False),
    ("https://user:word@example.com/", False),
    ("https://[::1]/a", False),
    ("https://", False),
    ("https://a b/", False),
    ("ftp://example.com/", False),
    ("https://example.com/" + "x" * 2048, False),
]


@pytest.mark.parametrize(("url", "fit"), REFERENCES)
async def test_addresses_are_taken_as_the_document_says(tmp_path: Path, url: str, fit: bool) -> None:
    """A reference address is valid in the document if and only if the gateway takes it."""
    create = CREATE | {"image_input": [url]}
    assert validator(body()).is_valid(create) is fit
    async with house(tmp_path) as there:
        assert (await there.create(create)).status_code == (202 if fit else 400)


async def test_unknown_fields_are_passed_over(tmp_path: Path) -> None:
    """What the API does not know is neither refused nor kept, in JSON and in forms, once or twice."""
    async with house(tmp_path) as there:
        answer = await there.create(CREATE | {"size": "1024x1024", "quality": "hd"})
        assert answer.status_code == 202
        assert "size" not in (await there.task(answer.json()["task_id"]))["request"]
        fields = {"model": "nano-banana-pro", "prompt": "x", "style": ["a", "b"]}
        assert (await there.multipart(fields, [("image", ("a.png", PNG))])).status_code == 202


def schemathesis(state: Path, examples: int, *arguments: str) -> str:
    """Run schemathesis, a judge that nobody here wrote, against a gateway of its own; what it printed."""
    with gateway(state, *arguments) as (_, client):
        command = [
            *(str(Path(sys.executable).parent / "schemathesis"), "run", f"{client.base_url}/openapi.json"),
            *("-H", f"Authorization: {client.headers['Authorization']}", "-n", str(examples), "--seed", "1"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--no-color"),
        ]
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.gateway.schemathesis_hooks", "COLUMNS": "200"}
        environment["PYTHONPATH"] = str(HERE.parent.parent)  # it leaves a cache where it runs
        done = subprocess.run(command, cwd=state, env=environment, capture_output=True, text=True, check=False)
        assert client.get("/healthz").status_code == 200
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Positive and negative requests in all phases find no 5xx, no undocumented status and no other schema."""
    said = schemathesis(tmp_path, 10)
    tested = re.search(r"(\d+) generated, (\d+) passed", said)
    assert tested is not None, said
    assert int(tested[1]) > 200


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["task", "legacy"])
def test_schemathesis_finds_nothing_in_the_long_run(tmp_path: Path, mode: str) -> None:
    """The same with 500 examples for each operation: `.ci/test -m slow tests/gateway/test_manual.py -s`."""
    sys.stdout.write(schemathesis(tmp_path, 500, "--mode", mode))
