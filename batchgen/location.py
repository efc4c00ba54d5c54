"""Where a batch lives: derived from the manifest's own place and name, never from the working directory."""

from dataclasses import dataclass
from pathlib import Path

from batchgen.errors import SettingsError
from batchgen.manifest.peek import peek
from batchgen.store.owner import kept_in

HIDDEN = ".batchgen"
JOURNAL = "journal.db"
ELSEWHERE = "journal.url"


@dataclass(frozen=True, slots=True)
class Location:
    """The absolute folder of a batch, its name there and its journal's file; `store` is what `--store` says.

    `database` is the URL of its journal when that is kept in PostgreSQL; then there is no such file.
    """

    folder: Path
    name: str
    journal: Path
    database: str = ""
    store: str = ""

    @property
    def hidden(self) -> Path:
        """The folder for what is not a picture."""
        return self.folder / HIDDEN

    @property
    def exists(self) -> bool:
        """Whether the batch was ever run."""
        if not self.database:
            return self.journal.exists()
        from batchgen.journal.postgres.target import is_kept  # noqa: PLC0415 - an extra

        return is_kept(self.database, self.folder.name)

    def remember(self) -> None:
        """Write down beside the pictures which database has the journal, for whoever names only the folder."""
        place = self.hidden / ELSEWHERE
        if not place.exists() or place.read_text("utf-8") != self.database:
            part = self.hidden / f"{ELSEWHERE}.new"
            part.write_text(self.database, "utf-8")
            part.replace(place)

    def kept_in(self) -> str:
        """The address of the pictures, empty when they are in the folder.

        Raises:
            SettingsError: `store` is no address, or not where the pictures are.
        """
        return kept_in(str(self.folder), self.store)


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
    if journal and not is_url(journal):
        journal = str(manifest.parent / journal)
    return _at(home / (f"{name}.local" if local else name), name, journal)


def _outputs(folder: Path) -> Path:
    for each in (folder, *folder.parents):
        if (each / "outputs").is_dir():
            return each / "outputs"
    return folder / "outputs"


def _at(folder: Path, name: str, journal: str | None) -> Location:
    usual = folder / HIDDEN / JOURNAL
    if journal is None and (folder / HIDDEN / ELSEWHERE).is_file():
        journal = (folder / HIDDEN / ELSEWHERE).read_text("utf-8").strip()
    if journal and is_url(journal):
        return Location(folder, name, usual, journal)
    return Location(folder, name, Path(journal).absolute() if journal else usual)


def is_url(journal: str) -> bool:
    """Whether a journal lies in a database, rather than at a path."""
    return "://" in journal
