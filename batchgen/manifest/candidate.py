"""What a manifest asks for, job by job, before anybody has asked whether all of it can stand together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from batchgen.job import Draft
from batchgen.manifest.places import Origin


@dataclass(frozen=True, slots=True, eq=False)
class InputRow:
    """One record of the user's table, or a group of them; `number` is the spreadsheet row of its first record, from 2.

    `id` is the rendered id, `cells` are the first record's cells as written, by header. All jobs of one row share
    one object.
    """

    number: int
    id: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job as the manifest states it: unique neither in id nor in path yet. `axes` are its values by axis name."""

    draft: Draft
    origin: Origin
    row: InputRow | None = None
    axes: Mapping[str, str] = field(default_factory=dict)
