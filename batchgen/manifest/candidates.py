"""A manifest becomes its jobs, one after the other, before anybody has asked whether they can stand together."""

from collections.abc import Iterator

from batchgen.manifest import axes
from batchgen.manifest.candidate import Candidate
from batchgen.manifest.catalogue import Catalogue
from batchgen.manifest.desk import Desk, Filing
from batchgen.manifest.files import real_path
from batchgen.manifest.findings import ProblemSink
from batchgen.manifest.load import Manifest
from batchgen.manifest.places import at
from batchgen.manifest.prompts import Prompts
from batchgen.manifest.references import Look, References
from batchgen.manifest.rows import Rows
from batchgen.manifest.tables import Table, open_table
from batchgen.manifest.texts import Texts
from batchgen.manifest.vocabulary import Names
from batchgen.manifest.written import Written


def candidates(manifest: Manifest, problems: ProblemSink, look: Look | None = None) -> Iterator[Candidate]:
    """The jobs of a manifest: those written out, then row after row, each row's combinations as the axes are written.

    A written job's own `references` stand in place of the top level's. Take 1 of several is bought as the job without
    takes would be. Reads the table once and the files that it names; holds a few rows at a time. Ids and paths are each
    right in themselves; whether two of them clash is for whoever holds them all. After a problem, what is yielded is
    not all.
    """
    keys = manifest.document.keys
    table = _table(manifest, problems)
    with References(manifest.root, manifest.provider, look) as references:
        desk = _desk(manifest, problems, references, table.columns if table else ())
        rows = Rows(table, keys.rows, desk.texts, problems) if table and keys.rows else None
        yield from Written(desk).candidates()
        if axes.is_catalogue(keys) and (rows is not None) == (keys.rows is not None):
            yield from Catalogue(desk, rows).candidates()


def _table(manifest: Manifest, problems: ProblemSink) -> Table | None:
    """The table, looked at; what is wrong with it is told."""
    keys = manifest.document.keys.rows
    if keys is None:
        return None
    file = manifest.table
    try:
        name = str(file) if file is not None else keys.from_
        return open_table(
            file or real_path(manifest.root, keys.from_), separator=keys.separator, encoding=keys.encoding, name=name
        )
    except ValueError as error:
        place = at(manifest.document, ("rows", "from"))
        problems.problem(place.problem(str(error), hint=getattr(error, "hint", "")))
        return None


def _desk(manifest: Manifest, problems: ProblemSink, references: References, columns: tuple[str, ...]) -> Desk:
    known = Names(columns, axes.axes(manifest.document.keys))
    prompts = Prompts(manifest.root)
    texts = Texts(manifest.document, known, prompts, problems)
    filing = texts.template(("output", "path"), manifest.output.path.text, known.plus({"id", "prompt", "model"}))
    return Desk(
        manifest=manifest,
        problems=problems,
        prompts=prompts,
        references=references,
        texts=texts,
        filing=None if filing is None else Filing(filing),
    )
