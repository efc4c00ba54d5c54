"""Manifests that mean harm: each is refused by the real program, soon, with a sentence, and nothing is written."""

import resource
from pathlib import Path

import pytest

from tests.manifest.writing import problems_of
from tests.stories.world import World

HEAD = "batchgen: 1\nname: story\nprovider: local\n"
JOB = "jobs: [{id: a, model: nano-banana-pro, prompt: x}]\n"
CATALOGUE = "models: {m: {model: nano-banana-pro}}\n"
TABLE = "rows: {from: t.csv, id: '{{ sku }}'}\nprompts: {p: x}\n" + CATALOGUE
SOON = 2.0
"""Seconds of processor time, on a machine that has other work too."""

FIFTY = ", ".join(f"v{n}" for n in range(50))
AXES = ", ".join(f"a{i}: [{FIFTY}]" for i in range(6))
BOMB = "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"x-{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)

ATTACKS = {
    "an alias bomb": (BOMB + JOB, "aliases blow this file up"),
    "depth 10,000": ("x-a: " + "[" * 10_000 + "\n", "nested deeper than 64"),
    "a tag": (JOB + "x-a: !!python/object/apply:os.system [id]\n", "holds no tags"),
    "a reference outside": (JOB.replace("x}", "x, references: [../../etc/passwd]}"), "ends outside"),
    "a prompt outside": (JOB.replace("prompt: x", "prompt: {file: ../../etc/passwd}"), "ends outside"),
    "a table outside": (TABLE.replace("t.csv", "../../etc/passwd"), "ends outside"),
    "a path outside": (JOB + "output: {path: '../../etc/passwd.{{ ext }}'}\n", "stays inside the batch folder"),
    "a cell that leads outside": ("references: [{path: 'r/{{ way }}'}]\n" + TABLE, "ends outside"),
    "a class in a template": ("prompts: {p: \"{{ ''.__class__ }}\"}\n" + CATALOGUE, "there are no attributes"),
    "ids that differ in case": (
        "jobs: [{id: Ab, model: nano-banana-pro, prompt: x}, {id: aB, model: nano-banana-pro, prompt: x}]\n",
        "in the place of",
    ),
    "ids that differ in Unicode form": (
        'jobs: [{id: "é", model: nano-banana-pro, prompt: x}, {id: "e\\u0301", model: nano-banana-pro, prompt: x}]\n',
        "in the place of",
    ),
}
"""Tried on the real program."""

MORE = {
    "depth 10,000 of mappings": ("x-a: " + "{a: " * 10_000 + "\n", "nested deeper than 64"),
    "a tag of its own": (JOB + "x-a: !include /etc/passwd\n", "holds no tags"),
    "a reference from the root": (JOB.replace("x}", "x, references: [/etc/passwd]}"), "does not start at"),
    "a pattern outside": ("references: ['../../etc/*']\n" + JOB, "does not stay inside"),
    "a column that leads outside": ("references: [{column: way}]\n" + TABLE, "ends outside"),
    "a class by subscript": ("prompts: {p: \"{{ ''['__class__'] }}\"}\n" + CATALOGUE, ""),
    "a filter that reaches": ("prompts: {p: \"{{ model | attr('x') }}\"}\n" + CATALOGUE, "no filter `attr`"),
    "a loop in a template": ("prompts: {p: '{% for x in range(9) %}{% endfor %}'}\n" + CATALOGUE, "there are no loops"),
    "a width that fills memory": ("prompts: {p: '{{ model | center(1000000000) }}'}\n" + CATALOGUE, ""),
    "a condition that calls": (JOB + "overrides: [{when: id() == 'a', model: n}]\n", "a comparison is expected here"),
    "a matrix of millions": (
        f"defaults: {{model: nano-banana-pro, prompt: x}}\nmatrix: {{{AXES}}}\n",
        "a manifest makes at most 5,000,000",
    ),
}
"""Tried in this process."""


def worked() -> float:
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own, with a table whose cells mean harm."""
    made = World(tmp_path)
    (made.root / "t.csv").write_text("sku,way\na,../../../etc/passwd\n")
    return made


@pytest.mark.parametrize("case", ATTACKS)
def test_it_is_refused(case: str, world: World) -> None:
    """Exit code 2, a sentence that says what is wrong, no traceback, no file, within two seconds."""
    text, said = ATTACKS[case]
    (world.root / "m.yaml").write_text(HEAD + text)
    began = worked()
    done = world.type("plan", "m.yaml")
    assert worked() - began < SOON
    assert done.code == 2, done.text
    assert said in done.text
    assert "Traceback" not in done.text
    assert "root:" not in done.text
    assert list((world.root / "outputs").iterdir()) == []


@pytest.mark.parametrize("case", MORE)
def test_it_is_told(case: str, world: World) -> None:
    """Others of their kind end in problems as well, before a job is made."""
    text, said = MORE[case]
    problems = problems_of(world.root, HEAD + text, head="")
    assert problems
    assert all(said in problem.message for problem in problems)


def test_a_scalar_of_100_megabytes(world: World) -> None:
    """A file beyond all measure is refused by its size, before it is read as YAML."""
    (world.root / "m.yaml").write_text(HEAD + JOB.replace("x}", "x" * 100_000_000 + "}"))
    done = world.type("plan", "m.yaml")
    assert done.code == 2, done.text
    assert "a manifest has at most 32 MiB" in done.text
    assert len(done.text) < 10_000
