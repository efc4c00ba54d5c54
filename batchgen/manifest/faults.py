"""What makes a row of no use, and the part of the manifest that it is no good for."""

from batchgen.manifest.places import Path


class Faulty(ValueError):
    """A row, or a combination without rows, makes no job; `path` is what in the manifest it fails."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
