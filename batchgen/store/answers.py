"""What an object store answers when it does not do what it was asked, told as errors of the operating system.

No message holds a credential, a signature or what a server answered in words.
"""

import errno
import re
from typing import Final

_CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_STATUS: Final = re.compile(r"status code: (\d{3})")
_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_WHERE_MACHINES_ASK: Final = ("169.254.169.254", "metadata.google.internal", "169.254.170.2")
"""Where a machine in a cloud asks for its credential: a complaint from there means that none was set."""


def credential(url: str) -> str:
    """The variables that hold the credential for a place."""
    return _CREDENTIALS.get(url.partition(":")[0], "one")


def bucket_missing(url: str, broken: Exception) -> OSError | None:
    """The error to raise when there is no bucket; None when it is only an object that is not there."""
    if any(word in str(broken) for word in _NO_BUCKET):
        return OSError(errno.ENODEV, f"{url}: there is no such bucket")
    return None


def as_told(url: str, broken: Exception) -> OSError:
    """The error of the operating system that says what an error of the library means."""
    from obstore.exceptions import InvalidPathError, PermissionDeniedError, UnauthenticatedError  # noqa: PLC0415

    said = str(broken)
    status = _STATUS.search(said)
    if any(each in said for each in _WHERE_MACHINES_ASK):
        return PermissionError(errno.EACCES, f"{url}: there is no credential; set {credential(url)}")
    refused = status is not None and status[1] in {"401", "403"}  # of a listing the library says it in the text alone
    if refused or isinstance(broken, UnauthenticatedError | PermissionDeniedError):
        return PermissionError(errno.EACCES, f"{url} refuses this credential")
    if missing := bucket_missing(url, broken):
        return missing
    if isinstance(broken, InvalidPathError):
        return OSError(errno.EINVAL, f"{url} takes no object of this name")
    if status and status[1] not in {"408", "429"} and status[1][0] == "4":
        return OSError(errno.EIO, f"{url} answered {status[1]}")
    answer = f"answered {status[1]}" if status else "does not answer"
    return ConnectionError(errno.EHOSTUNREACH, f"{url} {answer}")
