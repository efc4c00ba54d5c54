"""Names: what may be one, and what a part's name says."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchgen.errors import SettingsError
from batchgen.store import Slot
from batchgen.store.names import Proof, candidates, checked, checked_stem, new_part, proof_name, read_part, stem_of

NAMES = st.text(st.sampled_from(list("ab./\\~ -\0\n\x7f\u00e9\u0308\u202e\U0001f600\ud800")), max_size=40)
ANY = st.text(max_size=60) | NAMES


@given(name=ANY)
def test_inside(name: str) -> None:
    """Whatever passes stays below the root, and can be a file name there."""
    try:
        checked(name)
    except SettingsError:
        return
    path = os.path.normpath(f"/root/{name}")
    assert path == f"/root/{name}"
    assert path.startswith("/root/")
    assert max(len(os.fsencode(component)) for component in name.split("/")) <= 255


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\U0001f600"])
def test_room(letter: str) -> None:
    """Every name that a picture of an accepted stem may get is a name too, however long, and they all differ."""
    longest = 0
    for length in range(1, 256):
        try:
            stem = checked_stem(letter * length)
        except SettingsError:
            break
        names = list(candidates(stem_of(Slot(1, stem, 9999, 9999)), "0" * 64, "webp"))
        assert [checked(name) for name in names] == names
        assert len(set(names)) == 3
        longest = len(stem.encode())
    assert longest >= 200


@pytest.mark.parametrize("name", ["a", "a/b", "~", "-x", ".hidden", "a b", "été/\U0001f600", "...", "x" * 255])
def test_accepted(name: str) -> None:
    """Ordinary names pass, odd but harmless ones too."""
    assert checked(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [("../x", "inside"), ("a\tb", "control"), ("\udfff", "file name"), ("x" * 256, "255"), ("é" * 128, "255")],
)
def test_reasons(name: str, reason: str) -> None:
    """The refusal names what is wrong and what to do."""
    with pytest.raises(SettingsError, match=reason):
        checked(name)


def test_our_folder() -> None:
    """No picture is stored in our own folder, in whatever case it is written."""
    for stem in (".batchgen/a", ".BatchGen/a", ".batchgen"):
        with pytest.raises(SettingsError, match="belongs to batchgen"):
            checked_stem(stem)
    assert checked_stem("a/.batchgen/b") == "a/.batchgen/b"


@given(
    job=st.integers(0, 10**18),
    of=st.integers(1, 9999),
    data=st.data(),
    sha256=st.from_regex("[0-9a-f]{64}", fullmatch=True),
)
def test_proof_names(job: int, of: int, data: st.DataObject, sha256: str) -> None:
    """A proof is read back from its name."""
    proof = Proof(job, data.draw(st.integers(1, of)), of, sha256, data.draw(st.sampled_from([sha256, "0" * 64])))
    assert read_part(os.path.basename(checked(proof_name(proof)))) == proof


def test_part_names() -> None:
    """A part being written tells its job, never has the name of another, and foreign files are not read."""
    assert new_part(7) != new_part(7)
    assert read_part(os.path.basename(new_part(7))) == 7
    for name in (
        "",
        "notes.txt",
        ".7.part",
        ".7.0123.part",
        ".x.0123456789abcdef.part",
        ".7.0123456789abcdef.part.bak",
    ):
        assert read_part(name) is None
