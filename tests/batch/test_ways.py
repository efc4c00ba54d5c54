"""What a cluster cannot reach is refused by name, before anything is sent."""

import pytest

from batchgen.batch.ways import Shared, require_shared
from batchgen.errors import SettingsError

FILES = Shared("/a/.batchgen/journal.db", "/a", signed=False)


@pytest.mark.parametrize(
    "dask", ["local", "tcp://127.0.0.1:8786", "127.0.0.1:8786", "tcp://localhost:1", "tls://[::1]:9"]
)
def test_what_all_reach(dask: str) -> None:
    """Whoever works for a scheduler on loopback is on this machine, and reaches its files."""
    require_shared(dask, FILES)


@pytest.mark.parametrize("dask", ["tcp://head:8786", "head:8786", "tcp://10.0.0.7:8786", "nonsense", "tcp://0.0.0.0:1"])
def test_what_some_do_not_reach(dask: str) -> None:
    """Other machines do not: journal and folder are refused, each by its name, and nothing was sent."""
    with pytest.raises(SettingsError) as refused:
        require_shared(dask, FILES)
    for words in (dask, "/a/.batchgen/journal.db", "pictures to /a,", "--dask local", "Nothing was sent"):
        assert words in str(refused.value)


def test_secrets_in_urls() -> None:
    """A signature in a URL is a secret, and goes to no worker."""
    with pytest.raises(SettingsError, match="a signature in their URL"):
        require_shared("local", Shared("/a/journal.db", "/a", signed=True))
