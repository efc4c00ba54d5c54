"""What the program says to a wrong manifest, painted: source line, caret, corrected line.

Each file of `golden/` holds the files of one case and the whole text that `validate` says to them. After a wanted
change `python -m tests.manifest.painted` paints them anew; read what it changed before you keep it.
"""

import os
import re
import tempfile
from contextlib import chdir
from pathlib import Path

from batchgen.cli.doors import Doors
from tests.cli.desk import typed

GOLDEN = Path(__file__).parent / "golden"
SAID = "said, exit"
_HEAD = re.compile(r"^=== (.+)\n", re.MULTILINE)


def parts(text: str) -> dict[str, str]:
    """The files of a case by name, and what was said."""
    _, *found = _HEAD.split(text)
    return dict(zip(found[::2], found[1::2], strict=True))


def painted(files: dict[str, str], folder: Path) -> str:
    """A case as its golden file should be, tried in a folder. `\\xNN` in a file stands for a byte."""
    (folder / "outputs").mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), text).encode("latin-1"))
    with chdir(folder):
        said = typed("validate", "m.yaml", doors=Doors(), COLUMNS="80")
    shown = said.output.replace(os.path.realpath(folder), "/batch")
    shown = re.sub(r", [\d.,]+ [kMGT]B free(: NOT ENOUGH)?", ", … free", shown)
    whole = "".join(f"=== {name}\n{text}" for name, text in files.items())
    return f"{whole}=== {SAID} {said.exit_code}\n{shown}"


def files_of(text: str) -> dict[str, str]:
    """The files of a golden text."""
    return {name: body for name, body in parts(text).items() if not name.startswith(SAID)}


if __name__ == "__main__":
    for golden in sorted(GOLDEN.glob("*.txt")):
        with tempfile.TemporaryDirectory() as made:
            golden.write_text(painted(files_of(golden.read_text(encoding="utf-8")), Path(made)), encoding="utf-8")
