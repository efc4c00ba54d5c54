"""Where a batch lives: derived from the manifest's own place and name, never from the working directory."""

from dataclasses import dataclass
from pathlib import Path

from batchgen.errors import SettingsError
from batchgen.manifest.peek import peek

HIDDEN = ".batchgen"
JOURNAL = "journal.db"


@dataclass(frozen=True, slots=True)
class Location:
    """The absolute folder of a batch, its name there and its journal's file."""

    folder: Path
    name: str
    journal: Path

    @property
    def hidden(self) -> Path:
        """The folder for what is not a picture."""
        return self.folder / HIDDEN

    @property
    def exists(self) -> bool:
        """Whether the batch was ever run."""
        return self.journal.exists()


def locate(source: str, *, outputs: str | None, provider: str | None, journal: str | None) -> Location:
    """Find the batch of a manifest, or of a batch folder, which needs no manifest at all.

    Raises:
        SettingsError: there is no such manifest or batch.
        ManifestError: the manifest has no name.
    """
    path = Path(source).absolute()
    if path.is_dir():
        if not (path / HIDDEN).is_dir() and journal is None:
            raise SettingsError(f"{path} is no batch folder: it holds no {HIDDEN}; name a manifest or a batch folder")
        return _at(path, path.name, journal)
    if not path.is_file():
        raise SettingsError(f"there is no manifest {path}; `batchgen init` writes one")
    seen = peek(path)
    local = seen.local if provider is None else provider == "local"
    return place(path, seen.name, local=local, outputs=outputs, journal=journal or seen.journal)


def place(manifest: Path, name: str, *, local: bool, outputs: str | None, journal: str | None) -> Location:
    """Where the batch of this name lives; a rehearsal has a folder of its own."""
    home = Path(outputs).absolute() if outputs else _outputs(manifest.parent)
    return _at(home / (f"{name}.local" if local else name), name, journal and str(manifest.parent / journal))


def _outputs(folder: Path) -> Path:
    for each in (folder, *folder.parents):
        if (each / "outputs").is_dir():
            return each / "outputs"
    return folder / "outputs"


def _at(folder: Path, name: str, journal: str | None) -> Location:
    return Location(folder, name, Path(journal).absolute() if journal else folder / HIDDEN / JOURNAL)
