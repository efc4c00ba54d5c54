"""What a cluster cannot reach is refused by name, before anything is sent."""

from dataclasses import replace

import pytest

from batchgen.batch.ways import Shared, apart, require_shared
from batchgen.errors import SettingsError

FILES = Shared("/a/.batchgen/journal.db", "/a")
EVERYWHERE = Shared("postgresql://db/batches", "s3://bucket/a", database=True, placed=True)
HERE = ["local", "tcp://127.0.0.1:8786", "127.0.0.1:8786", "tcp://localhost:1", "tls://[::1]:9"]
ELSEWHERE = ["tcp://head:8786", "head:8786", "tcp://10.0.0.7:8786", "nonsense", "tcp://0.0.0.0:1", "tls://head:8786"]


@pytest.mark.parametrize("dask", HERE)
def test_what_all_reach(dask: str) -> None:
    """Whoever works for a scheduler on loopback may be on this machine, and then reaches its files."""
    require_shared(dask, FILES)
    assert not apart(dask, FILES)


@pytest.mark.parametrize("dask", ELSEWHERE)
def test_what_some_do_not_reach(dask: str) -> None:
    """Other machines do not: journal and folder are refused, each by its name, and nothing was sent."""
    with pytest.raises(SettingsError) as refused:
        require_shared(dask, FILES)
    for words in (dask, "/a/.batchgen/journal.db", "pictures to /a,", "--dask local", "Nothing was sent"):
        assert words in str(refused.value)


@pytest.mark.parametrize("dask", [*HERE, *ELSEWHERE])
def test_what_is_everywhere(dask: str) -> None:
    """A journal in a database and pictures in a place with an address are reached from anywhere, without our files."""
    require_shared(dask, EVERYWHERE)
    assert apart(dask, EVERYWHERE) == (dask != "local")


@pytest.mark.parametrize(
    ("shared", "named", "unnamed"),
    [
        (replace(EVERYWHERE, database=False), "write the journal", "bring pictures"),
        (replace(EVERYWHERE, placed=False), "bring pictures to s3://bucket/a", "write the journal"),
        (replace(EVERYWHERE, rehearsed=True), "gateway of a rehearsal", "write the journal"),
    ],
)
def test_one_thing_is_missing(shared: Shared, named: str, unnamed: str) -> None:
    """Only what is out of reach is named."""
    with pytest.raises(SettingsError, match=named) as refused:
        require_shared("tcp://head:8786", shared)
    assert unnamed not in str(refused.value)
    assert not apart("tcp://127.0.0.1:8786", shared)


@pytest.mark.parametrize("dask", ["local", "tcp://head:8786"])
def test_secrets_in_urls(dask: str) -> None:
    """A signature in a URL is a secret, and goes to no worker."""
    with pytest.raises(SettingsError, match="a signature in their URL"):
        require_shared(dask, replace(EVERYWHERE, signed=True))


@pytest.mark.parametrize("dask", ["local", "tcp://head:8786"])
def test_pictures_in_memory(dask: str) -> None:
    """The memory of one process is no place for the pictures of several."""
    with pytest.raises(SettingsError, match="one process alone"):
        require_shared(dask, replace(EVERYWHERE, pictures="memory:///a", placed=False, forgetful=True))
