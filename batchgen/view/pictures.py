"""The pictures of a page: thumbnails, the stored files themselves, and references; nothing that no job knows of.

An address holds the hash of what it shows, so a browser may keep it for ever.
"""

import hashlib
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from batchgen.job import Asset, FileReference
from batchgen.journal import Progress
from batchgen.lifecycle import Stored
from batchgen.picture import EXTENSIONS
from batchgen.store import Shelf
from batchgen.view.pages import desk_of, one_job

_KEEP: Final = {"Cache-Control": "private, max-age=31536000, immutable"}
_FORGET: Final = {"Cache-Control": "no-store"}
_LARGEST_REFERENCE: Final = 64 * 1024 * 1024


async def thumb(request: Request) -> Response:
    """A stored picture, small; a placeholder when it cannot be shown."""
    asset = await _asset(request)
    if asset is None:
        return Response(status_code=404)
    desk = desk_of(request)
    made = await anyio.to_thread.run_sync(desk.thumbs.get, asset, limiter=desk.shrinking)
    return Response(made.data, media_type=made.media_type, headers=_FORGET if made.problem else _KEEP)


async def picture(request: Request) -> Response:
    """A stored picture as it is."""
    asset, pictures = await _asset(request), desk_of(request).pictures
    if asset is not None and pictures is not None and asset.media_type in EXTENSIONS:
        data = await anyio.to_thread.run_sync(_kept_elsewhere, pictures, asset)
        return Response(status_code=404) if data is None else Response(data, media_type=asset.media_type, headers=_KEEP)
    place = None if asset is None else inside(desk_of(request).location.folder, asset.name)
    if asset is None or place is None or asset.media_type not in EXTENSIONS:
        return Response(status_code=404)
    return FileResponse(place, media_type=asset.media_type, headers=_KEEP)


async def reference(request: Request) -> Response:
    """A reference from the manifest's folder, as long as it is the one that was sent."""
    desk, found = desk_of(request), await _job(request)
    root = desk.watch.scene.agreed.root
    wanted = request.path_params["index"]
    known = found.job.request.references[wanted : wanted + 1] if found is not None else ()
    match known:
        case (FileReference(path=path, sha256=sha256, media_type=media_type),) if (
            root is not None and media_type in EXTENSIONS and sha256 == request.path_params["sha256"]
        ):
            data = await anyio.to_thread.run_sync(partial(_same, inside(root, path), sha256))
            if data is not None:
                return Response(data, media_type=media_type, headers=_KEEP)
    return Response(status_code=404)


def _kept_elsewhere(pictures: Shelf, asset: Asset) -> bytes | None:
    try:
        with pictures.open(asset.name) as file:
            return file.read()
    except OSError:
        return None


def inside(folder: Path, name: str) -> Path | None:
    """A file of a folder; None when it is not there, or the name or a link leads out of it."""
    home = folder.resolve()
    place = (home / name).resolve()
    return place if place.is_relative_to(home) and place.is_file() else None


def _same(place: Path | None, sha256: str) -> bytes | None:
    try:
        if place is None or place.stat().st_size > _LARGEST_REFERENCE:
            return None
        data = place.read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


async def _job(request: Request) -> Progress | None:
    return await desk_of(request).ask(partial(one_job, request.path_params["number"]))


async def _asset(request: Request) -> Asset | None:
    found = await _job(request)
    wanted = request.path_params["index"]
    assets = found.milestone.assets if found is not None and isinstance(found.milestone, Stored) else ()
    asset = assets[wanted] if wanted < len(assets) else None
    return asset if asset is not None and asset.sha256 == request.path_params["sha256"] else None
