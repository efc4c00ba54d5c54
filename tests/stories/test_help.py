"""The examples that `--help` shows: each is a command that the program understands, and those of every day are run."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from batchgen.cli import program
from tests.generated_docs import verbs
from tests.stories.warm import Starter, warm
from tests.stories.world import Gateway, World, at, gateway

pytestmark = pytest.mark.timeout(600)  # many commands, one after the other, on a machine that may be busy

EVERY_DAY = ("plan", "run", "status", "export", "report", "explain", "models", "doctor", "verify", "prune", "schema")


def examples(command: click.Command) -> Iterator[list[str]]:
    """The commands that a help text shows, as words; what is piped or put beside them is left out."""
    for line in (command.epilog or "").splitlines():
        if line.startswith("  batchgen "):
            typed = re.split(r" {2,}|[|>]", line.strip())[0]
            for part in typed.split("&&"):
                yield shlex.split(part)[1:]


def test_every_example_is_understood() -> None:
    """Each example of each help text is a command with options that are there and take what they are given."""
    shown = [words for command in (program, *verbs().values()) for words in examples(command)]
    assert {words[0] for words in shown} >= set(EVERY_DAY) | {"init", "resolve", "serve", "selftest"}
    for verb, *words in shown:
        command = program.get_command(click.Context(program), verb)
        assert command is not None
        with command.make_context(verb, list(words)) as found:
            assert found.info_name == verb


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One gateway for all of them."""
    with gateway(tmp_path_factory.mktemp("gateway")) as one:
        yield one


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    """Types commands quickly."""
    with warm(tmp_path / "warm") as one:
        yield one


def test_the_examples_of_every_day_run(tmp_path: Path, server: Gateway, starter: Starter) -> None:
    """In a folder with the files that they name, the examples of the verbs of every day end with 0."""
    world = World(tmp_path / "world")
    (world.root / "products.csv").write_text("handle,vendor\nboot,Acme\n")
    manifest = {
        "batchgen": 1,
        "jobs": [{"id": "shoe/front", "prompt": "A shoe", "output_format": "png"}],
        "rows": {"from": "products.csv", "id": "{{ handle }}"},
        "prompts": {"packshot": "A {{ handle }}"},
        "models": {"draft": {"model": "nano-banana-pro"}},
        "defaults": {"model": "nano-banana-pro"},
        **at(server),
    }
    for file, name in (("batchgen.yaml", "hello"), ("nightly.yaml", "nightly")):
        text = json.dumps({**manifest, "name": name}).replace("A ", f"A {name} ")  # else they were one batch, renamed
        (world.root / file).write_text(text)
    environ = {"XENODIA_API_KEY": server.key}
    for file in ("batchgen.yaml", "nightly.yaml"):
        done = starter.type(world, "run", file, **environ)
        assert done.code == 0, done.text
    for verb in EVERY_DAY:
        for words in examples(verbs()[verb]):
            done = starter.type(world, *words, **environ)
            assert done.code == 0, (words, done.text)
