"""What a cluster cannot reach is refused by name, before anything is sent."""

import pytest

from batchgen.batch.ways import Shared, require_shared
from batchgen.errors import SettingsError

ALL = Shared(journal="", local_store="", local_provider=False, signed=False)


def test_what_all_reach() -> None:
    """A database and a bucket are there for everybody; a cluster on this machine shares its folders, too."""
    require_shared("tcp://head:8786", ALL)
    require_shared("local", ALL)
    require_shared("local", Shared("", "/outputs/a", local_provider=True, signed=False))


@pytest.mark.parametrize(
    ("dask", "shared", "words"),
    [
        ("local", Shared("/a/journal.db", "", local_provider=False, signed=False), "/a/journal.db is a file that one"),
        ("tcp://head:8786", Shared("/a/journal.db", "/a", local_provider=True, signed=True), "/a/journal.db is a file"),
        ("tcp://head:8786", Shared("", "/outputs/a", local_provider=False, signed=False), "cannot write to /outputs/a"),
        ("tcp://head:8786", Shared("", "", local_provider=True, signed=False), "rehearse with --dask local"),
        ("local", Shared("", "", local_provider=False, signed=True), "a signature in their URL"),
    ],
)
def test_what_some_do_not_reach(dask: str, shared: Shared, words: str) -> None:
    """A file as journal, a folder or a gateway of this machine, and secrets in URLs are refused, each by its name."""
    with pytest.raises(SettingsError, match="Nothing was sent") as refused:
        require_shared(dask, shared)
    assert words in str(refused.value)
