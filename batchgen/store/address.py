"""What may stand behind `--store`: the address of a place that is not the batch folder; nothing here is asked."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from batchgen.errors import SettingsError

Scheme: TypeAlias = Literal["s3", "gs", "az", "file", "memory"]

SCHEMES: Final[tuple[Scheme, ...]] = ("s3", "gs", "az", "file", "memory")

_EXAMPLE: Final = "write s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///FOLDER"


@dataclass(frozen=True, slots=True)
class Address:
    """A place by its scheme, its bucket (empty for a folder or memory) and the names that everything in it begins with.

    `prefix` has no slash at either end.
    """

    scheme: Scheme
    bucket: str
    prefix: str

    @property
    def folder(self) -> str:
        """The folder of this machine that it is; empty for any other place."""
        return f"/{self.prefix}" if self.scheme == "file" else ""

    def below(self, name: str) -> "Address":
        """A place of this name in this one."""
        return Address(self.scheme, self.bucket, f"{self.prefix}/{name}".lstrip("/"))

    def __str__(self) -> str:
        """The address as a URL without a slash at its end; `address` reads it back."""
        return f"{self.scheme}://{self.bucket}/{quote(self.prefix, safe='/~=+@,')}".rstrip("/")


def address(url: str) -> Address:
    """Read an address.

    Raises:
        SettingsError: it is none; the message shows nothing that could be a credential.
    """
    try:
        parts = urlsplit(url)
        scheme = next((each for each in SCHEMES if each == parts.scheme), None)
        odd = parts.username is not None or parts.query or parts.fragment or parts.port
    except ValueError:
        scheme, odd = None, False
    if scheme is None:
        raise SettingsError(f"--store names no place that is known here; {_EXAMPLE}")
    if odd:
        raise SettingsError(f"--store holds no user, port, query or fragment, and no credential; {_EXAMPLE}")
    prefix = unquote(parts.path).strip("/")
    if any(each in {"", ".", ".."} for each in prefix.split("/")) and prefix:
        raise SettingsError(f"--store has an empty, . or .. component; {_EXAMPLE}")
    if any(character < " " or character == "\x7f" for character in prefix + parts.netloc):
        raise SettingsError("--store holds a control character; mend it")
    if scheme == "file" and (parts.netloc or not prefix):
        raise SettingsError(f"--store names no folder of this machine; {_EXAMPLE}")
    if scheme in {"s3", "gs", "az"} and not parts.netloc:
        raise SettingsError(f"--store names no bucket; {_EXAMPLE}")
    return Address(scheme, parts.netloc, prefix)
