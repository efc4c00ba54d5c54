"""Loading a manifest."""

import os
from pathlib import Path

import pytest

from batchgen.errors import ManifestError, SettingsError
from batchgen.manifest.load import load
from batchgen.manifest.problems import ManifestProblems
from batchgen.manifest.provider import KeyFromEnvironment, Local, Remote
from batchgen.terms import LOCAL, LOCAL_LIMITS, XENODIA, Expert, Failures, Hold, Limits, Profile, Rate, Terms
from tests.manifest.corpus import J
from tests.manifest.writing import HEAD, expand, write


def test_the_smallest_manifest(tmp_path: Path) -> None:
    """A name and a job are enough; everything else is built in."""
    manifest = load(write(tmp_path, HEAD + J))
    assert manifest.name == "x"
    assert manifest.path == tmp_path / "batchgen.yaml"
    assert manifest.folder == manifest.root == tmp_path
    assert manifest.provider == Remote("https://api.xenodia.xyz")
    assert manifest.terms == Terms()
    assert manifest.journal is None
    assert manifest.output.check == "decode"
    assert manifest.output.path.text == "{{ id }}"


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    """Each key reaches the place where it is obeyed."""
    text = HEAD + J + (
        "provider:\n  base_url: https://h/v1/\n  api_key: env:MY_KEY\n  private_hosts: [nas.lan]\n"
        "  also_known_as: [local, https://old.example.com]\n"
        "  profile: {idempotency: replay, token_ttl: 24h, url_ttl: 20m, task_ttl: 7d, failed_is_free: true}\n"
        "journal: state/journal.db\n"
        "output: {path: 'p/{{ id }}.{{ ext }}', sidecar: none, embed: false, check: structure}\n"
        "limits:\n  in_flight: 7\n  rate: 3/1m\n  deadline: 4h\n  give_up_waiting: 5m\n"
        "  models: {m: {in_flight: 2, rate: none}, n: {give_up_waiting: 1m}}\n"
        "  expert: {submit_slots: 9, polls_per_second: 2.5, downloads: 3, max_bytes: 2048,"
        "    submit_tries: 1, poll_tries: 2}\n"
        "failures: {attempts: 4, accept: 0, in_doubt: hold}\n"
        "x-anything: [1, {a: b}]\n"
    )  # fmt: skip
    manifest = load(write(tmp_path, text))
    assert manifest.provider == Remote(
        "https://h",
        KeyFromEnvironment("MY_KEY"),
        Profile("replay", 86400, 1200, 604800, failed_is_free=True),
        ("nas.lan",),
        ("local", "https://old.example.com"),
    )
    expert = Expert(9, 9, 2.5, 3, 2048, 1, 2)
    limits = Limits(7, Rate(3, 60), 14400, 300, expert)
    assert manifest.terms.limits == limits
    assert manifest.terms.of("m") == Limits(2, None, 14400, 300, expert)
    assert manifest.terms.of("n") == Limits(7, Rate(3, 60), 14400, 60, expert)
    assert manifest.terms.of("other") == limits
    assert manifest.terms.failures == Failures(4, in_doubt=Hold())
    assert manifest.terms.profile.idempotency == "replay"
    assert manifest.journal == tmp_path / "state/journal.db"
    assert manifest.output.check == "structure"
    assert manifest.output.path.text == "p/{{ id }}"


def test_the_local_provider_has_its_own_defaults(tmp_path: Path) -> None:
    """The local gateway needs no rate and honours tokens; what the manifest says still counts."""
    plain = load(write(tmp_path, HEAD + J + "provider: local\n"))
    assert plain.provider == Local()
    assert plain.terms == Terms(profile=LOCAL, limits=LOCAL_LIMITS)
    stated = load(write(tmp_path, HEAD + J + "provider: local\nlimits: {rate: 5/s, expert: {downloads: 1}}\n"))
    assert stated.terms.limits.rate == Rate(5, 1)
    assert stated.terms.limits.expert.downloads == 1
    assert stated.terms.limits.expert.polls_per_second == 50


def test_the_command_line_replaces_the_provider(tmp_path: Path) -> None:
    """Neither promises nor the key of the manifest's provider are carried over to another."""
    path = write(tmp_path, HEAD + J + "provider: {api_key: env:K, profile: {idempotency: replay}}\n")
    assert load(path, provider="local").terms == Terms(profile=LOCAL, limits=LOCAL_LIMITS)
    other = load(path, provider="http://127.0.0.1:8787/v1")
    assert other.provider == Remote("http://127.0.0.1:8787")
    assert other.terms.profile == XENODIA
    with pytest.raises(SettingsError, match="--provider: a base URL is absolute"):
        load(path, provider="remote")


def test_empty_values_set_nothing(tmp_path: Path) -> None:
    """A key without a value is as if it were not there."""
    manifest = load(write(tmp_path, HEAD + J + "journal:\nlimits: {in_flight: , expert: }\nfailures: {attempts: }\n"))
    assert manifest.terms == Terms()


def test_submit_slots_grow_no_further_than_is_said(tmp_path: Path) -> None:
    """The stated most holds; left out, it is never below what a run begins with."""
    said = load(write(tmp_path, HEAD + J + "limits: {expert: {submit_slots: 2, submit_slots_most: 3}}\n"))
    assert (said.terms.limits.expert.submit_slots, said.terms.limits.expert.submit_slots_most) == (2, 3)
    begun = load(write(tmp_path, HEAD + J + "limits: {expert: {submit_slots: 12}}\n"))
    assert begun.terms.limits.expert.submit_slots_most == 12


def test_the_root_can_be_elsewhere(tmp_path: Path) -> None:
    """`root` moves the start of references and of nothing else."""
    manifest = load(write(tmp_path, HEAD + J + "journal: j.db\n"), root=tmp_path / "shared")
    assert manifest.root == tmp_path / "shared"
    assert manifest.journal == tmp_path / "j.db"


@pytest.mark.parametrize("encoded", [b"\xef\xbb\xbf" + (HEAD + J).encode(), (HEAD + J).replace("\n", "\r\n").encode()])
def test_bom_and_crlf_are_welcome(tmp_path: Path, encoded: bytes) -> None:
    """What editors on Windows write is read as it is meant."""
    assert load(write(tmp_path, encoded)).name == "x"


def test_a_bom_takes_no_column(tmp_path: Path) -> None:
    """Places are those that an editor shows, in the first line and below."""
    with pytest.raises(ManifestProblems) as caught:
        load(write(tmp_path, b"\xef\xbb\xbf" + (HEAD + J).replace("1", "2").replace("x", "X").encode()))
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(1, 11), (2, 7)]
    assert caught.value.problems[0].source == "batchgen: 2"


def test_other_encodings_are_named(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is pointed at; UTF-16 is called by its name."""
    with pytest.raises(ManifestProblems, match=r"batchgen.yaml:3:4: a manifest is UTF-8; the byte 0xe9 is not"):
        load(write(tmp_path, (HEAD + "# é\n").encode("latin-1").replace(b"# ", b"#  ")))
    with pytest.raises(ManifestProblems, match="saved as UTF-16"):
        load(write(tmp_path, (HEAD + J).encode("utf-16")))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing manifest, a folder and a file too large are said in a sentence each."""
    with pytest.raises(ManifestError, match="there is no such manifest"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ManifestError, match="cannot be read: Is a directory"):
        load(tmp_path)
    big = write(tmp_path, "", "big.yaml")
    os.truncate(big, 32 * 1024 * 1024 + 1)
    with pytest.raises(ManifestError, match="at most 32 MiB"):
        load(big)


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Problems of syntax-level rules, of the schema, of traps and of credentials come in one error, in order."""
    text = (
        "batchgen: 1\nname: X\nname: y\nprovider: {private_hosts: [sk_live_0123456789]}\n"
        "jobs:\n- {id: 1}\n- id: b\n  prompt: a #b\ntakes: x\n"
    )
    with pytest.raises(ManifestProblems) as caught:
        load(write(tmp_path, text))
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4, 6, 8, 9]


@pytest.mark.parametrize(
    "text",
    [
        "provider: {api_key: KEY}\n",
        "provider:\n  api_key:\n    KEY\n",
        "provider: {api_key: KEY, foo: 1, base_url: 7}\n",
        "provider: {key: KEY}\n",
        "provider: {private_hosts: [KEY]}\n",
        "provider: {base_url: KEY}\n",
        "provider: KEY\n",
        "api_key: KEY\n",
        "x-key: KEY\n",
        "journal: postgresql://me:KEY@host/db\n",
        "references: ['https://me:KEY@host/x.png']\n",
        "references: ['http://10.0.0.1/x.png?sig=KEY']\n",
        "provider: {api_key: KEY\n",
        'provider:\n  api_key: "KEY" x\n',
        "provider: {api_key: a: KEY}\n",
    ],
)
@pytest.mark.parametrize("key", ["sk_xeno_0123456789abcdef", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"])
def test_a_key_is_refused_and_never_printed(tmp_path: Path, text: str, key: str) -> None:
    """Wherever somebody puts a key, the manifest is refused and no message or source line shows it."""
    with pytest.raises(ManifestProblems) as caught:
        expand(load(write(tmp_path, HEAD + J + text.replace("KEY", key))))
    assert key not in str(caught.value)
    assert all(key not in repr(problem) for problem in caught.value.problems)


def test_json_is_a_manifest(tmp_path: Path) -> None:
    """A manifest may be written as JSON, with escapes as JSON has them."""
    text = '{"batchgen": 1, "name": "x", "jobs": [{"id": "a", "model": "m", "prompt": "\\uD83D\\uDE00\\/\\u00e9"}]}'
    assert load(write(tmp_path, text)).document.keys.jobs[0].prompt == "\U0001f600/\u00e9"
