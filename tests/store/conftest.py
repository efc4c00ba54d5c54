"""The S3 server of the session."""

from collections.abc import Iterator

import pytest

from tests.store.buckets import S3, s3_server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A server with a bucket for the judges."""
    with s3_server(tmp_path_factory.mktemp("s3")) as found:
        found.bucket("judges")
        yield found
