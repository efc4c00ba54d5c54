"""What decides buying, and what does not."""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.manifest.writing import HEAD, PNG, expanded, fingerprints, write

JOB = "model: m\n    prompt: |\n      A cat\n      on a mat\n    resolution: 2K\n    references: [a.png]\n"
PLAIN = f"jobs:\n  - id: a\n    {JOB}"

SAME = {
    "comments": f"# one\njobs: # two\n  # three\n  - id: a # four\n    {JOB}",
    "flow": 'jobs: [{references: [a.png], resolution: 2K, prompt: "A cat\\non a mat", model: m, id: a}]\n',
    "json": '{"jobs": [{"id": "a", "prompt": "A cat\\non a mat\\n\\n", "model": "m", '
    '"references": ["a.png"], "resolution": "2K"}]}',
    "crlf": PLAIN.replace("\n", "\r\n"),
    "crlf in quotes": "jobs: [{references: [a.png], resolution: 2K, model: m, id: a, "
    'prompt: "A cat\\r\\non a mat\\r\\n"}]\n',
    "defaults": f"defaults: {{model: z, output_format: png}}\njobs:\n  - id: a\n    output_format: null\n    {JOB}",
    "inherited": "defaults: {model: m, resolution: 2K}\nreferences: [a.png]\njobs: [{id: a, prompt: {file: p.txt}}]\n",
    "output": f"output: {{path: 'x/{{{{ id }}}}.{{{{ ext }}}}', check: structure}}\n{PLAIN}",
    "limits": f"limits: {{in_flight: 3, rate: none, deadline: 3h, models: {{m: {{in_flight: 1}}}}}}\n{PLAIN}",
    "failures": f"failures: {{attempts: 9}}\n{PLAIN}",
    "provider": f"provider: {{base_url: 'https://other.example.com', api_key: env:X}}\n{PLAIN}",
    "journal": f"journal: elsewhere.db\n{PLAIN}",
    "takes": f"takes: 1\n{PLAIN}    takes: 1\n",
    "file name": PLAIN.replace("a.png", "copy/of.png"),
    "link": PLAIN.replace("a.png", "link.png"),
    "other id": PLAIN.replace("id: a", "id: b"),
    "notes": f"x-note: {{a: b}}\n{PLAIN}",
    "anchors": "x-m: &m {model: m, resolution: 2K}\njobs:\n  - <<: *m\n    id: a\n    prompt: {file: p.txt}\n"
    "    references: [a.png]\n",
}
OTHER = {
    "model": PLAIN.replace("model: m", "model: n"),
    "prompt": PLAIN.replace("cat", "dog"),
    "space": PLAIN.replace("A cat", "A  cat"),
    "line": PLAIN.replace("A cat\n", "A cat\n\n"),
    "resolution": PLAIN.replace("2K", "4K"),
    "format": PLAIN + "    output_format: png\n",
    "channel": PLAIN + "    channel_id: 0\n",
    "no reference": PLAIN.replace("[a.png]", "[]"),
    "two references": PLAIN.replace("[a.png]", "[a.png, a.png]"),
    "other bytes": PLAIN.replace("a.png", "other.png"),
    "url": PLAIN.replace("a.png", "https://example.com/a.png"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """References and a prompt file beside the manifest."""
    for name, data in {
        "a.png": PNG,
        "copy/of.png": PNG,
        "other.png": PNG + b"x",
        "p.txt": b"A cat\r\non a mat\r\n",
    }.items():
        write(tmp_path, data, name)
    (tmp_path / "link.png").symlink_to("a.png")
    return tmp_path


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_what_is_not_bought_decides_nothing(folder: Path, text: str) -> None:
    """Writing, order, names, output, limits, provider and line ends leave a fingerprint as it is."""
    plain = fingerprints(folder, PLAIN)["a"]
    if text.startswith("{"):
        head, text = "", '{"batchgen": 1, "name": "x", ' + text[1:]
        assert [draft.fingerprint for draft in expanded(folder, text, head=head).drafts] == [plain]
    else:
        assert list(fingerprints(folder, text).values()) == [plain]


def test_what_is_bought_decides(folder: Path) -> None:
    """Each field, each byte of a reference and each character of a prompt makes another fingerprint."""
    texts = {"plain": PLAIN, **OTHER}
    found = {name: fingerprints(folder, text)["a"] for name, text in texts.items()}
    for one, other in itertools.combinations(found, 2):
        assert found[one] != found[other], (one, other)


def test_order_decides_nothing(folder: Path) -> None:
    """Jobs in another order are the same jobs."""
    jobs = [f"  - id: j{i}\n    {JOB.replace('cat', f'cat {i}')}" for i in range(4)]
    forward = fingerprints(folder, "jobs:\n" + "".join(jobs))
    assert fingerprints(folder, "jobs:\n" + "".join(reversed(jobs))) == forward
    assert len(set(forward.values())) == 4


def test_a_new_signature_changes_nothing(folder: Path) -> None:
    """A URL signed again is the same reference; another query is another one."""
    base = "https://example.com/a.png?w=1"
    found = [
        fingerprints(folder, PLAIN.replace("a.png", f"'{url}'"))["a"]
        for url in (base, base + "&sig=a", base + "&sig=b", base + "0")
    ]
    assert found[0] == found[1] == found[2] != found[3]


def test_inputs_notice_every_change(folder: Path) -> None:
    """What a batch was made from stays in the same words until manifest, prompt file or reference is written again."""
    text = PLAIN.replace("|\n      A cat\n      on a mat", "{file: p.txt}")
    first = expanded(folder, text).inputs
    assert expanded(folder, text).inputs == first
    assert expanded(folder, text + "# a comment\n").inputs != first
    write(folder, "A dog\non a mat\n", "p.txt")
    second = expanded(folder, text).inputs
    write(folder, PNG + b"y", "a.png")
    assert len({first, second, expanded(folder, text).inputs}) == 3


@given(st.permutations(["id: a", "model: m", "resolution: 2K", "aspect_ratio: 16:9", "prompt: A cat"]), st.booleans())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_key_order_decides_nothing(tmp_path: Path, lines: list[str], flow: bool) -> None:
    """However the keys of a job are ordered and written, it is the same job, with the same id and path."""
    block = "jobs:\n  - " + "\n    ".join(lines) + "\n"
    drafts = expanded(tmp_path, f"jobs: [{{{', '.join(lines)}}}]\n" if flow else block).drafts
    canonical = expanded(
        tmp_path, "jobs: [{id: a, model: m, prompt: A cat, aspect_ratio: 16:9, resolution: 2K}]\n", head=HEAD
    )
    assert drafts == canonical.drafts
