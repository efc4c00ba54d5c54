"""From a manifest to its jobs."""

from pathlib import Path

import pytest

from batchgen.job import FileReference, Request, UrlReference, fingerprint
from batchgen.manifest.load import load
from batchgen.manifest.problems import ManifestProblems
from tests.manifest.writing import HEAD, PNG, expand, expanded, fingerprints, problems_of, write

CATALOGUE = """\
jobs: [{id: own, model: m, prompt: "{{ literal }}"}]
defaults: {resolution: 1K, aspect_ratio: 16:9}
prompts: {z: Zebra, a: {file: a.txt}}
models: {hero: {model: big, resolution: 4K}, draft: {model: small, resolution: null}}
"""


def test_prompts_go_to_models_in_written_order(tmp_path: Path) -> None:
    """Written jobs first, then every prompt with every model, prompts outermost, as they stand in the file."""
    write(tmp_path, "Ape\r\n\r\nEnd\r\n\r\n", "a.txt")
    expansion = expanded(tmp_path, CATALOGUE)
    assert [(draft.id, draft.path) for draft in expansion.drafts] == [
        (name, name) for name in ("own", "z/hero", "z/draft", "a/hero", "a/draft")
    ]
    assert [draft.request for draft in expansion.drafts] == [
        Request("m", "{{ literal }}", "16:9", "1K"),
        Request("big", "Zebra", "16:9", "4K"),
        Request("small", "Zebra", "16:9"),
        Request("big", "Ape\n\nEnd", "16:9", "4K"),
        Request("small", "Ape\n\nEnd", "16:9"),
    ]
    assert all(draft.fingerprint == fingerprint(draft.request) for draft in expansion.drafts)


def test_precedence(tmp_path: Path) -> None:
    """A job's own field wins over the default, null drops it, and a default prompt serves jobs without one."""
    text = (
        "defaults: {model: m, prompt: D, resolution: 1K, output_format: png, channel_id: 3}\n"
        "jobs: [{id: a}, {id: b, model: n, prompt: B, resolution: null, channel_id: 4, output_format: }]\n"
    )
    first, second = (draft.request for draft in expanded(tmp_path, text).drafts)
    assert first == Request("m", "D", resolution="1K", output_format="png", channel_id=3)
    assert second == Request("n", "B", channel_id=4)


def test_a_prompt_of_null_drops_the_default(tmp_path: Path) -> None:
    """A job that drops the default prompt has none, which is an error."""
    problems = problems_of(tmp_path, "defaults: {model: m, prompt: D}\njobs:\n- id: a\n  prompt: null\n")
    assert [(problem.line, "no `prompt`" in problem.message) for problem in problems] == [(6, True)]


def test_takes(tmp_path: Path) -> None:
    """Several takes have numbered ids and fingerprints of their own; the first is bought as the plain job would be."""
    text = (
        "takes: 2\njobs:\n- {id: a, model: m, prompt: p}\n- {id: b, model: m, prompt: p, takes: 1}\n"
        "- {id: c, model: m, prompt: p, takes: 3}\n"
    )
    drafts = expanded(tmp_path, text).drafts
    assert [draft.id for draft in drafts] == ["a.t1", "a.t2", "b", "c.t1", "c.t2", "c.t3"]
    assert [draft.request.take for draft in drafts] == [1, 2, 1, 1, 2, 3]
    plain = fingerprints(tmp_path, "jobs: [{id: a, model: m, prompt: p}]\n")["a"]
    assert [draft.fingerprint == plain for draft in drafts] == [True, False, True, True, False, False]
    assert len({draft.fingerprint for draft in drafts}) == 3


def test_takes_go_to_the_catalogue(tmp_path: Path) -> None:
    """Top-level takes number the ids of prompts x models as well."""
    text = "takes: 2\nprompts: {p: x}\nmodels: {m: {model: m}}\n"
    assert [draft.id for draft in expanded(tmp_path, text).drafts] == ["p/m.t1", "p/m.t2"]


def test_references_go_to_every_job(tmp_path: Path) -> None:
    """Those of the top level serve the catalogue and jobs without their own, which stand in their place, in order."""
    for name in ("a.png", "b.png"):
        write(tmp_path, PNG + name.encode(), name)
    text = (
        "references: [a.png, https://example.com/x]\nprompts: {p: x}\nmodels: {m: {model: m}}\n"
        "jobs:\n- {id: j, model: m, prompt: p}\n- {id: k, model: m, prompt: p, references: [b.png, a.png]}\n"
        "- {id: l, model: m, prompt: p, references: []}\n- {id: o, model: m, prompt: p, references: null}\n"
    )
    names = {
        draft.id: [ref.path if isinstance(ref, FileReference) else ref.url for ref in draft.request.references]
        for draft in expanded(tmp_path, text).drafts
    }
    both = ["a.png", "https://example.com/x"]
    assert names == {"j": both, "k": ["b.png", "a.png"], "l": [], "o": [], "p/m": both}


def test_signed_urls_are_handed_on(tmp_path: Path) -> None:
    """A draft holds the bare URL; the full one is found by it."""
    url = "https://example.com/x.png?X-Amz-Signature=abc&w=1"
    expansion = expanded(tmp_path, f"references: ['{url}']\njobs: [{{id: a, model: m, prompt: p}}]\n")
    bare = "https://example.com/x.png?w=1"
    assert expansion.drafts[0].request.references == (UrlReference(bare, signed=True),)
    assert expansion.signed_urls == {bare: url}


def test_output_paths(tmp_path: Path) -> None:
    """The template knows id, prompt and model; for a written job the model is the one asked for."""
    text = (
        "output: {path: '{{ model }}/{{ id }}.{{ ext }}'}\nprompts: {p: x}\nmodels: {hero: {model: m}}\n"
        "jobs: [{id: a, model: g/n, prompt: p}]\n"
    )
    assert [draft.path for draft in expanded(tmp_path, text).drafts] == ["g_n/a", "hero/p/hero"]
    text = "output: {path: '{{ prompt }}-{{ model }}.{{ ext }}'}\nprompts: {p: x}\nmodels: {hero: {model: m}}\n"
    assert [draft.path for draft in expanded(tmp_path, text).drafts] == ["p-hero"]


def test_takes_need_a_path_each(tmp_path: Path) -> None:
    """A template that does not tell takes apart is refused, with what to do."""
    text = "takes: 2\noutput: {path: '{{ model }}.{{ ext }}'}\njobs: [{id: a, model: m, prompt: p}]\n"
    (problem,) = problems_of(tmp_path, text)
    assert "`a.t2` would be stored in the place of `a.t1`" in problem.message
    assert "let output.path hold {{ id }}" in problem.hint


def test_ids_of_takes_and_catalogue_clash_with_written_ones(tmp_path: Path) -> None:
    """However an id comes about, it is there once, and both places are named."""
    text = (
        "prompts: {p: x}\nmodels: {m: {model: m}}\njobs:\n- {id: p/m, model: m, prompt: p}\n"
        "- {id: a.t1, model: m, prompt: p}\n- {id: a, model: m, prompt: p, takes: 2}\n"
    )
    problems = problems_of(tmp_path, text)
    assert [(problem.line, problem.message) for problem in problems] == [
        (3, "the id `p/m` stands here twice, first on line 6, column 8"),
        (8, "the id `a.t1` stands here twice, first on line 7, column 8"),
    ]


def test_later_floors_can_point_at_a_field(tmp_path: Path) -> None:
    """The place of a field is where its value was set: the job, the bundle, the prompt, the defaults, or the job."""
    text = (
        "defaults: {resolution: 1K}\nreferences: ['https://example.com/a']\n"
        "prompts: {p: x}\nmodels: {hero: {model: m, output_format: png}}\n"
        "jobs:\n- {id: a, model: n, prompt: y, takes: 2}\n- {id: b, model: n, prompt: y, references: ['https://h/1', 'https://h/2']}\n"
    )
    where = expanded(tmp_path, text).where
    lines = (HEAD + text).splitlines()

    def seen(*what: str | int) -> str:
        problem = where(*what).problem("bad")  # type: ignore[arg-type]
        return f"{problem.path}={lines[problem.line - 1][problem.column - 1 :].split(',')[0].strip('}')}"

    assert seen("a.t2", "model") == "jobs[0].model=n"
    assert seen("a.t1", "resolution") == "defaults.resolution=1K"
    assert seen("a.t1", "takes") == "jobs[0].takes=2"
    assert seen("a.t1", "references", 0) == "references[0]='https://example.com/a']"
    assert seen("b", "references", 1) == "jobs[1].references[1]='https://h/2']"
    assert seen("b", "references") == "jobs[1].references=['https://h/1'"
    assert seen("b", "references", 9) == "jobs[1].references=['https://h/1'"
    assert seen("b", "channel_id") == "jobs[1]={id: b"
    assert seen("p/hero", "prompt") == "prompts.p=x"
    assert seen("p/hero", "output_format") == "models.hero.output_format=png"
    assert seen("p/hero", "aspect_ratio") == "models.hero={model: m"
    assert str(where("a.t1", "model")) == "line 8, column 18"


def test_too_many_jobs_are_refused_before_they_are_made(tmp_path: Path) -> None:
    """A small file that multiplies to millions ends in a sentence."""
    prompts = ", ".join(f"p{i}: x" for i in range(100))
    models = ", ".join(f"m{i}: {{model: m}}" for i in range(100))
    (problem,) = problems_of(tmp_path, f"takes: 1000\nprompts: {{{prompts}}}\nmodels: {{{models}}}\n")
    assert "this makes 10,000,000 jobs; a manifest makes at most 5,000,000" in problem.message


def test_one_missing_file_of_many_jobs_is_told_at_each_and_grouped(tmp_path: Path) -> None:
    """A reference of the top level is told once, those of jobs at each job, grouped in the text."""
    (problem,) = problems_of(tmp_path, "references: [r.png]\nprompts: {p: x, q: y}\nmodels: {m: {model: m}}\n")
    assert problem.line == 3
    jobs = "".join(f"- {{id: j{i}, model: m, prompt: p, references: [r.png]}}\n" for i in range(30))
    with pytest.raises(ManifestProblems, match="and 27 more of this kind") as caught:
        expanded(tmp_path, f"jobs:\n{jobs}")
    assert len(caught.value.problems) == 30


def test_the_root_is_where_files_start(tmp_path: Path) -> None:
    """With another root, prompt files and references are found there and stay inside it."""
    write(tmp_path, PNG, "shared/a.png")
    write(tmp_path, "Text", "shared/p.txt")
    path = write(
        tmp_path, HEAD + "references: [a.png]\njobs: [{id: a, model: m, prompt: {file: p.txt}}]\n", "work/b.yaml"
    )
    assert expand(load(path, root=tmp_path / "shared")).drafts[0].request.prompt == "Text"
    with pytest.raises(ManifestProblems, match="does not exist"):
        expand(load(path))
