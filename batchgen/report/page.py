"""The morning after as one file: `report.html` with its thumbnails beside it, written whole or not at all.

Everything that came from outside is text in it: the template escapes, the data cannot leave its script element, and a
policy in the page allows no other script, no other style and no address but the folder that it lies in.
"""

import base64
import contextlib
import hashlib
import os
import re
import secrets
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from batchgen.journal import Record
from batchgen.report.facts import Asked, facts
from batchgen.report.gallery import Gallery, Places, assets, relative_url, script_json
from batchgen.report.look import sheet
from batchgen.report.thumbnails import Thumbnail, Thumbnails
from batchgen.store.thumbs import put, shard, whole

STYLES: Final = ("base.css", "report.css")
SCRIPTS: Final = ("data.js", "wall.js", "box.js", "report.js")
"""What the page carries inside, in this order."""

_JOBS: Final = "<!--jobs-->"
_THUMB: Final = re.compile(r"[0-9a-f]{64}\.jpg")

Told = Callable[[int], None]
"""Is told how many thumbnails there are so far."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was written: `file` is absolute, `missing` counts pictures that are not in the folder any more."""

    file: str
    jobs: int
    pictures: int
    missing: int


def make(record: Record, asked: Asked, thumbnails: Thumbnails, told: Told = lambda _: None) -> Made:
    """Write the page and its thumbnails; jobs are streamed, so memory hardly grows with them.

    Raises:
        OSError: the place could not be written; a page that was there before is still whole.
    """
    beside = files_of(asked.target)
    shown = _thumbnails(record, thumbnails, os.path.join(os.path.dirname(asked.target), beside, "thumbs"), told)
    pictures = relative_to(asked.folder, asked.target)
    places = Places(asked.folder, pictures, f"{relative_url(beside)}/thumbs", shown, asked.elsewhere)
    gallery = Gallery(record, places)
    part, jobs_part = (f"{asked.target}.{secrets.token_hex(4)}.{name}" for name in ("part", "jobs"))
    try:
        with open(jobs_part, "w+", encoding="ascii") as jobs:
            _write_list(jobs.write, gallery.lines())
            jobs.seek(0)
            head, tail = _text(record, asked, gallery).split(_JOBS)
            with open(part, "x", encoding="utf-8") as file:
                file.write(head)
                shutil.copyfileobj(jobs, file, 1 << 20)
                file.write(tail)
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, asked.target)
    finally:
        for each in (part, jobs_part):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(each)
    _sweep(os.path.join(os.path.dirname(asked.target), beside, "thumbs"), shown)
    return Made(asked.target, gallery.jobs, gallery.pictures.total(), gallery.missing)


def files_of(target: str) -> str:
    """The folder beside a page that holds what it shows: `report_files` for `report.html`."""
    return f"{os.path.splitext(os.path.basename(target))[0]}_files"


def relative_to(folder: str, target: str) -> str:
    """The way from a page to a folder, in which no first name can be taken for a scheme."""
    found = os.path.relpath(folder, os.path.dirname(target))
    return found if found.startswith(".") else f"./{found}"


def _thumbnails(record: Record, thumbnails: Thumbnails, place: str, told: Told) -> set[str]:
    """Lay the thumbnail of every picture into the page's folder; returns the hashes of those that have one."""
    shown: set[str] = set()
    for count, (asset, made) in enumerate(thumbnails.each(assets(record)), start=1):
        if not made.problem:
            _lay(made, thumbnails.place(asset), os.path.join(place, shard(asset.sha256)))
            shown.add(asset.sha256)
        told(count)
    return shown


def _lay(made: Thumbnail, kept: str, place: str) -> None:
    """A second name for a thumbnail that is kept, a copy where that cannot be or a torn one has its name."""
    if whole(place):
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    try:
        os.link(kept, place)
    except OSError:
        put(place, made.data)


def _sweep(place: str, shown: set[str]) -> None:
    """Remove thumbnails that the page does not show any more, and nothing else."""
    for folder, _, names in os.walk(place):
        for name in names:
            if _THUMB.fullmatch(name) and name[:64] not in shown:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(folder, name))


def _write_list(write: Callable[[str], Any], lines: Iterator[str]) -> None:
    before = "[\n"
    for line in lines:
        write(before + line)
        before = ",\n"
    write("[]" if before == "[\n" else "\n]")


def _text(record: Record, asked: Asked, gallery: Gallery) -> str:
    """The page but for its jobs, with their place marked."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # noqa: PLC0415 - heavy, and only wanted here
    from markupsafe import Markup  # noqa: PLC0415

    style, script = "".join(map(sheet, STYLES)), '"use strict";\n' + "".join(map(sheet, SCRIPTS))
    shapes = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(sheet), trim_blocks=True, lstrip_blocks=True
    )
    return shapes.get_template("report.html").render(
        policy=_policy(style, script, asked.elsewhere.base_url if asked.elsewhere else ""),
        style=Markup(style),  # noqa: S704 - our own
        script=Markup(script),  # noqa: S704 - our own
        jobs=Markup(_JOBS),  # noqa: S704 - our own
        shared=Markup(script_json(_shared(record, asked, gallery))),  # noqa: S704 - escaped for where it stands
        **facts(record, gallery, asked),
    )


def _policy(style: str, script: str, base_url: str) -> str:
    published = "://".join(urlsplit(base_url)[:2]) + " " if base_url.startswith("http") else ""
    hashes = (base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in (style, script))
    styled, scripted = hashes
    return (
        f"default-src 'none'; style-src 'sha256-{styled}'; script-src 'sha256-{scripted}'; "
        f"img-src 'self' {published}file: data:; base-uri 'none'; form-action 'none'"
    )


def _shared(record: Record, asked: Asked, gallery: Gallery) -> dict[str, Any]:
    identity = record.identity
    return {
        **gallery.shared(),
        "batch": identity.batch_id,
        "name": identity.name,
        "redo": shlex.join(("batchgen", "run", *asked.where, "--redo")),
        "made": asked.now,
        "elsewhere": asked.elsewhere.address if asked.elsewhere else None,
    }
