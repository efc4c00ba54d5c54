"""Where every value of a job came from, for whoever asks why it is as it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from batchgen.job import FIELDS, FileReference, effective
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.load import Manifest
from batchgen.manifest.places import Place, stated


@dataclass(frozen=True, slots=True)
class Provenance:
    """One value of a job: its field, the value as it is sent, and the place that set it; None is built in."""

    field: str
    value: str
    place: Place | None

    @property
    def where(self) -> str:
        """Its place in words."""
        return "built in" if self.place is None else str(self.place)


def provenance(manifest: Manifest, candidate: Candidate) -> list[Provenance]:
    """Every value that is sent for a job, and every default that was dropped (its value is empty), in the API's order.

    A reference of a pattern or a column has the place of its list.
    """
    return list(_values(manifest, candidate))


def _values(manifest: Manifest, candidate: Candidate) -> Iterator[Provenance]:
    request, document, origin = candidate.draft.request, manifest.document, candidate.origin
    sent = effective(request)
    for name in FIELDS:
        place = stated(document, origin, name)
        if name in sent:
            asked = getattr(request, name) is not None
            yield Provenance(name, str(sent[name]), place if asked else None)
        elif place is not None:
            yield Provenance(name, "", place)
    for each in request.references:
        value = each.path if isinstance(each, FileReference) else each.url
        yield Provenance("reference", value, stated(document, origin, "references"))
    if request.take > 1 or stated(document, origin, "takes"):
        yield Provenance("take", str(request.take), stated(document, origin, "takes"))
