"""Where a batch lives follows from its manifest, never from where one stands."""

from pathlib import Path

import pytest

from batchgen.errors import ManifestError, SettingsError
from batchgen.location import locate


def found(source: Path, **other: str) -> tuple[str, str]:
    """Folder and journal of a batch."""
    words: dict[str, str | None] = {"outputs": None, "provider": None, "journal": None, **other}
    at = locate(str(source), outputs=words["outputs"], provider=words["provider"], journal=words["journal"])
    return str(at.folder), str(at.journal)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest in a folder below one that has outputs."""
    (tmp_path / "outputs").mkdir()
    (tmp_path / "a/b").mkdir(parents=True)
    path = tmp_path / "a/b/m.yaml"
    path.write_text("batchgen: 1\nname: shop\nthis is: [not, otherwise, valid]\n")
    return path


def test_the_nearest_outputs_upwards(manifest: Path, tmp_path: Path) -> None:
    """The nearest folder upwards that has outputs holds the batch; one nearer wins."""
    assert found(manifest)[0] == str(tmp_path / "outputs/shop")
    (tmp_path / "a/outputs").mkdir()
    assert found(manifest)[0] == str(tmp_path / "a/outputs/shop")


def test_beside_the_manifest(tmp_path: Path) -> None:
    """Where no folder upwards has outputs, they are beside the manifest."""
    path = tmp_path / "m.yaml"
    path.write_text("name: shop\n")
    if not any((each / "outputs").is_dir() for each in tmp_path.parents):
        assert found(path)[0] == str(tmp_path / "outputs/shop")


def test_a_rehearsal_has_its_own_folder(manifest: Path, tmp_path: Path) -> None:
    """`local`, in the file or on the command line, never touches the folder of bought pictures."""
    assert found(manifest, provider="local")[0] == str(tmp_path / "outputs/shop.local")
    manifest.write_text("name: shop\nprovider: local\n")
    assert found(manifest)[0] == str(tmp_path / "outputs/shop.local")
    assert found(manifest, provider="https://a.example")[0] == str(tmp_path / "outputs/shop")


def test_named_places_win(manifest: Path, tmp_path: Path) -> None:
    """--outputs and --journal say where, and a manifest's own journal is found from its folder."""
    assert found(manifest, outputs=str(tmp_path / "x"))[0] == str(tmp_path / "x/shop")
    assert found(manifest, journal=str(tmp_path / "j.db"))[1] == str(tmp_path / "j.db")
    manifest.write_text("name: shop\njournal: ledger/j.db\n")
    assert found(manifest)[1] == str(manifest.parent / "ledger/j.db")


def test_a_batch_folder_will_do(tmp_path: Path) -> None:
    """A folder that holds a batch is found without any manifest; another folder is refused."""
    (tmp_path / "shop/.batchgen").mkdir(parents=True)
    assert found(tmp_path / "shop") == (str(tmp_path / "shop"), str(tmp_path / "shop/.batchgen/journal.db"))
    with pytest.raises(SettingsError, match="no batch folder"):
        found(tmp_path)


def test_no_manifest_and_no_name(tmp_path: Path) -> None:
    """A manifest that is not there, or has no usable name, is said to be so."""
    with pytest.raises(SettingsError, match="no manifest"):
        found(tmp_path / "m.yaml")
    (tmp_path / "m.yaml").write_text("jobs: []\n")
    with pytest.raises(ManifestError, match="name"):
        found(tmp_path / "m.yaml")
