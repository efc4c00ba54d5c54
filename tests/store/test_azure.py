"""Azure Blob Storage under the judge of all stores, as Azurite plays it; left out unless asked for with `-m slow`."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import AzureStore

from batchgen.errors import Foreign, SettingsError
from batchgen.store.address import address
from batchgen.store.bucket import Bucket, open_bucket
from tests.azurite import ACCOUNT, Azurite, azurite, missing
from tests.contracts.store import StoreContract
from tests.store.buckets import BucketPlace
from tests.stories.world import World, at, gateway, jobs

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]

PREFIXES = itertools.count()


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A server with a container, and the environment that leads to it."""
    with azurite(tmp_path_factory.mktemp("azurite")) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.environ.items():
            patch.setenv(name, value)
        yield found


class TestAzure(StoreContract):
    """Every promise of a store, on a server that speaks Azure Blob."""

    @pytest.fixture
    def place(self, azure: Azurite, tmp_path: Path) -> BucketPlace:
        prefix = f"judge/{next(PREFIXES)} ä"
        store = AzureStore(container_name="pictures", prefix=prefix, client_options={"allow_http": True})
        return BucketPlace(store, tmp_path, f"az://pictures/{prefix}")


def opened(azure: Azurite, url: str) -> Bucket:
    """A place by its address and the environment alone."""
    return open_bucket(address(url), azure.environ)


async def test_a_probe_leaves_nothing(azure: Azurite) -> None:
    """A container that does all that is needed is proven so, and a large picture goes up whole."""
    bucket = opened(azure, "az://pictures/probed")
    await bucket.probe()
    assert bucket.sizes() == {}
    assert await bucket.create("a", bytes(12_000_000), media_type="image/png", sha256="00")
    assert not await bucket.create("a", b"x", media_type="image/png")
    assert bucket.sizes() == {"a": 12_000_000}


async def test_what_is_not_ours(azure: Azurite) -> None:
    """A container that is not there, another batch's place and a refused credential are named, and nothing is shown."""
    with pytest.raises(SettingsError, match="az://nowhere/x: there is no such bucket"):
        await opened(azure, "az://nowhere/x").probe()
    await opened(azure, "az://pictures/owned").claim("one")
    with pytest.raises(Foreign, match="another journal"):
        await opened(azure, "az://pictures/owned").claim("two")
    wrong = AzureStore(
        container_name="pictures", account_name=ACCOUNT, account_key="c2VjcmV0", client_options={"allow_http": True}
    )
    with pytest.raises(SettingsError, match="refuses this credential") as refused:
        await Bucket("az://pictures", wrong).probe()
    assert "c2VjcmV0" not in str(refused.value)


def test_a_batch(azure: Azurite, tmp_path: Path) -> None:
    """A whole run brings its pictures there, and `verify` reads them back."""
    with gateway(tmp_path / "gateway", "--painter", "none") as server:
        world = World(tmp_path / "world")
        world.write(jobs=jobs(4), **at(server))
        environ = {**azure.environ, "XENODIA_API_KEY": server.key}
        done = world.type("run", "m.yaml", "--store", "az://pictures/nights", cwd=None, **environ)
        assert (done.code, "4 pictures in az://pictures/nights/story" in done.text) == (0, True), done.text
        proven = world.type("verify", "m.yaml", "--read-data", cwd=None, **environ)
        assert (proven.code, "4 of 4 as they were stored" in proven.text) == (0, True), proven.text
