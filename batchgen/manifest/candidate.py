"""What a manifest asks for, job by job, before anybody has asked whether all of it can stand together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchgen.job import Draft, InputRow
from batchgen.manifest.places import Origin

__all__ = ["Candidate", "InputRow"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job as the manifest states it: unique neither in id nor in path yet. `axes` are its values by axis name.

    `signed_urls` are the whole URLs, by the bare ones, of its references whose signatures are kept out of the journal.
    """

    draft: Draft
    origin: Origin
    row: InputRow | None = None
    axes: Mapping[str, str] = field(default_factory=dict)
    signed_urls: Mapping[str, str] = field(default_factory=dict)
