"""The house keeps its own promises: floors, diagram and documents agree with the code."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import batchgen
from batchgen import errors, lifecycle
from batchgen.cli import program
from batchgen.errors import WORST_FIRST
from batchgen.lifecycle import FOLLOWS
from batchgen.manifest.load import load
from batchgen.manifest.schema.printed import json_schema
from batchgen.terms import defaults
from tests.manifest.writing import expand

HERE = Path(__file__).parent.parent


def arrows(text: str) -> set[tuple[str, str]]:
    """The arrows of a Mermaid state diagram."""
    return set(re.findall(r"^\s*(\w+) --> (\w+)", text, re.MULTILINE))


def test_diagram_is_the_table() -> None:
    """The documented diagram has exactly the arrows of the lifecycle's table."""
    drawn = arrows(page("life-of-a-job.md"))
    assert drawn == {(a.__name__, b.__name__) for a, row in FOLLOWS.items() for b in row}


def test_every_milestone_is_explained() -> None:
    """The page on a job's life has a row for every milestone."""
    rows = re.findall(r"^\| ([A-Z]\w+) \|", page("life-of-a-job.md"), re.MULTILINE)
    assert sorted(rows) == sorted(each.__name__ for each in FOLLOWS)


def test_lifecycle_stays_small() -> None:
    """The whole life of a job can be read at once: its code stays under 200 lines."""
    source = Path(lifecycle.__file__).read_text(encoding="utf-8")
    code = [line for line in source.splitlines() if line.strip() and not line.strip().startswith(('"""', "#"))]
    assert len(code) < 200


def test_imports_point_down() -> None:
    """The floors hold: no import points up, no room on one floor knows another."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_speaks_of_a_registry() -> None:
    """No file names the host of a package registry."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HERE, capture_output=True, text=True, check=True).stdout
    pattern = re.compile(r"https?://[^ \"]+/(simple($|[\"/ ])|packages/[0-9a-f]{2}/|-/[^ \"]+\.tgz)")
    for name in filter(None, listed.split("\0")):
        if Path(name).suffix in {".md", ".py", ".toml", ".yaml", ".txt", ".lock", ".json"} and (HERE / name).is_file():
            assert not pattern.search((HERE / name).read_text(encoding="utf-8")), name


def page(name: str) -> str:
    """A page of the documentation."""
    return (HERE / "docs" / name).read_text(encoding="utf-8")


def test_defaults_are_printed_from_the_terms() -> None:
    """The table of defaults in the documentation is what the code says."""
    rows = [f"| `{name}` | {value} |" for name, value in defaults()]
    assert "\n".join(rows) in page("manifest.md")
    prefixes = ("| `provider.profile", "| `failures.", "| `limits.", "| `budget.")
    assert sum(page("manifest.md").count(prefix) for prefix in prefixes) == len(rows)


def test_every_verb_and_option_is_documented() -> None:
    """The command line's page names every verb and every option that is there."""
    text = page("cli.md")
    for verb in program.list_commands(click.Context(program)):
        command = program.get_command(click.Context(program), verb)
        assert command is not None
        if command.hidden:
            continue
        assert f"| `{verb}` |" in text, verb
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert any(f"`{name}`" in text for name in option.opts), (verb, option.opts)


def test_every_exit_code_and_error_is_documented() -> None:
    """Each exit code and each error class stands in the tables, with the code that it carries."""
    text = page("cli.md")
    assert all(re.search(rf"^\| (\d+, )?{code}(, \d+)? \|", text, re.MULTILINE) for code in WORST_FIRST)
    table = text.partition("## What an error means")[2]
    for name, each in vars(errors).items():
        if isinstance(each, type) and issubclass(each, errors.BatchgenError):
            (row,) = [line for line in table.splitlines() if f"`{name}`" in line]
            code = each("", cap="batch").exit_code if each is errors.NoHeadroom else each.exit_code
            assert row.rstrip("|").rsplit("|", 1)[1].strip().startswith(str(code)), name


def test_every_error_stands_in_the_tree() -> None:
    """The tree at the top of the errors names every class."""
    for name, each in vars(errors).items():
        if isinstance(each, type) and issubclass(each, errors.BatchgenError):
            assert name in (errors.__doc__ or ""), name


def test_documents_name_only_what_is_there() -> None:
    """Every file and every test that the README speaks of exists."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (HERE / target).exists(), target
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (HERE / "tests").rglob("*.py"))
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in sources, name
    for name in re.findall(r"`(tests/[\w./]+)`", text):
        assert (HERE / name).exists(), name


def test_the_readme_begins_with_two_commands() -> None:
    """The first two shell blocks are one command each: the main job, and the tests."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[:2]
    assert first == ".ci/venv && .venv/bin/batchgen run manifests/quickstart.yaml\n"
    assert second == ".ci/test\n"


PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
BESIDE = {
    "refs/shoe.png": PNG,
    "shots/boot/front-1.png": PNG,
    "prompts/packshot.txt": b"A packshot of {{ title }} from the {{ view }}",
    "products.csv": (
        b"Handle,Title,Vendor,Status,Stock,Season,Ratio,Image Src\n"
        b"boot,A Boot,Acme,active,3,winter,16:9,https://example.com/boot.jpg\n"
        b"boot,,,,,,,https://example.com/sole.jpg\nhat,A Hat,Bob,active,1,,,\nold,Old,Bob,archived,0,,,\n"
    ),
}
"""The files that the examples speak of."""


def examples() -> list[tuple[str, str]]:
    """Every manifest in the documents, by page."""
    pages = [HERE / "README.md", *sorted((HERE / "docs").glob("*.md"))]
    found = [
        (path.name, text)
        for path in pages
        for text in re.findall(r"^```yaml\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ]
    manifests = [(name, text) for name, text in found if text.startswith("batchgen: ")]
    assert {name for name, _ in manifests} >= {"README.md", "manifest.md"}
    assert {name for name, _ in found if (name, _) not in manifests} <= {"gateway.md", "rehearsal.md"}
    return manifests


@pytest.mark.parametrize(("name", "example"), examples())
def test_examples_are_manifests(name: str, example: str, tmp_path: Path) -> None:
    """Every manifest in the documents loads and makes jobs, with the files beside it that it speaks of."""
    for file, data in BESIDE.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(data)
    (tmp_path / "m.yaml").write_text(example)
    assert expand(load(tmp_path / "m.yaml")).drafts


def test_every_key_of_every_table_is_documented() -> None:
    """Each key that the schema knows, in whatever table, stands on the manifest's page."""
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    keys = {name for table in tables for name in table.get("properties", {})}
    assert len(keys) > 70
    text = page("manifest.md")
    assert [
        name for name in sorted(keys) if f"`{name}`" not in text and f".{name}`" not in text and f"{name}:" not in text
    ] == []


def test_the_face_is_listed() -> None:
    """What the package offers to Python is there and sorted."""
    assert list(batchgen.__all__) == sorted(batchgen.__all__)
    assert all(hasattr(batchgen, name) for name in batchgen.__all__)
