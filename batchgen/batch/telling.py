"""What a batch says of itself for the next program: `report.json`, written from its journal."""

from batchgen.batch.records import open_record
from batchgen.location import Location
from batchgen.report.summary import Summary, summary, write_report


def tell(location: Location) -> Summary:
    """Write it anew; returns what it says."""
    with open_record(location) as record:
        told = summary(record, str(location.folder), location.kept_in())
    write_report(str(location.folder / "report.json"), told)
    return told
