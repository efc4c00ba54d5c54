"""What may stand behind --store."""

import pytest

from batchgen.errors import SettingsError
from batchgen.store.address import Address, address


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("s3://shop/a/b/", Address("s3", "shop", "a/b")),
        ("s3://shop", Address("s3", "shop", "")),
        ("gs://shop/a%20b", Address("gs", "shop", "a b")),
        ("az://box/ä", Address("az", "box", "ä")),
        ("file:///mnt/pictures", Address("file", "", "mnt/pictures")),
        ("memory://", Address("memory", "", "")),
    ],
)
def test_addresses(url: str, found: Address) -> None:
    """Each is read, and reads back from what it is written as."""
    assert address(url) == found
    assert address(str(found)) == found


def test_below() -> None:
    """A batch has a place of its own in a place."""
    assert str(address("s3://shop/out").below("autumn")) == "s3://shop/out/autumn"
    assert str(address("s3://shop").below("a b")) == "s3://shop/a%20b"
    assert address("file:///mnt").below("autumn").folder == "/mnt/autumn"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("outputs", "no place"),
        ("https://shop/x", "no place"),
        ("s3:///x", "no bucket"),
        ("file://host/x", "no folder"),
        ("file:///", "no folder"),
        ("s3://key:hidden@shop/x", "no user"),
        ("s3://shop/x?key=hidden", "no user"),
        ("s3://shop/a/../b", "component"),
        ("s3://shop/a//b", "component"),
        ("s3://shop/a%0ab", "control"),
        ("s3://[shop/x", "no place"),
    ],
)
def test_no_addresses(url: str, reason: str) -> None:
    """What is none is refused in words that hold nothing secret."""
    with pytest.raises(SettingsError, match=reason) as refused:
        address(url)
    assert "hidden" not in str(refused.value)
