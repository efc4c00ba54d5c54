"""How an object store is called: with how much patience, over TLS or not, and with which checksum; nothing is asked."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from batchgen.store.address import Address

_RETRIES: Final = 6
_RETRY_SECONDS: Final = 45
_CALL_SECONDS: Final = 60
_CONNECT_SECONDS: Final = 5

_CHECKSUM: Final = "AWS_CHECKSUM_ALGORITHM"
_ENDPOINTS: Final = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT",
    "AZURE_ENDPOINT",
    "AZURE_STORAGE_ENDPOINT",
    "AZURITE_BLOB_STORAGE_URL",
)


def ways(place: Address, environ: Mapping[str, str]) -> dict[str, Any]:
    """What the library is told beside the address, in its own words."""
    options: dict[str, Any] = {
        "client_options": {
            "timeout": timedelta(seconds=_CALL_SECONDS),
            "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
            "allow_http": _is_plain(environ),
        },
        "retry_config": {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
    }
    if place.scheme == "s3" and not environ.get(_CHECKSUM):
        options["checksum_algorithm"] = "SHA256"  # the server holds the body against it
    return options


def _is_plain(environ: Mapping[str, str]) -> bool:
    """Whether the environment names an endpoint without TLS, which it then means."""
    return any(environ.get(each, "").lower().startswith("http://") for each in _ENDPOINTS)
